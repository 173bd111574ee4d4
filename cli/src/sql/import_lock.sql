-- Keeps the workers and producers of a table out until the transaction ends. Who only reads goes on.
LOCK TABLE {table} IN EXCLUSIVE MODE
