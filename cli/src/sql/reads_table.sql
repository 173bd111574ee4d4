SELECT has_table_privilege('pgq.job', 'SELECT')
