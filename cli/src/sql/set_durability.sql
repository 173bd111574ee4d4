SELECT pgq.set_durability($1)
