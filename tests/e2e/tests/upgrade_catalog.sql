-- What the extension is made of, an object a line, without what differs by chance: numbers of objects, places of columns.
SELECT line COLLATE "C"
  FROM (
    SELECT format('%s %s: %s', c.relkind, c.relname, concat_ws(' ', c.relpersistence, c.reloptions, c.relacl, pg_get_userbyid(c.relowner), c.relrowsecurity, c.relreplident))
      FROM pg_class AS c WHERE c.relnamespace = 'pgq'::regnamespace
    UNION ALL
    SELECT format('column %s %s %s: %s', c.relname, rank() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
                  concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attstorage, a.attstattarget, a.attacl,
                            pg_get_expr(d.adbin, d.adrelid), (SELECT l.collname FROM pg_collation AS l WHERE l.oid = a.attcollation)))
      FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE c.relnamespace = 'pgq'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT format('index %s', pg_get_indexdef(i.indexrelid))
      FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid WHERE c.relnamespace = 'pgq'::regnamespace
    UNION ALL
    SELECT format('constraint %s %s: %s', coalesce(r.relname, t.typname), n.conname, pg_get_constraintdef(n.oid))
      FROM pg_constraint AS n LEFT JOIN pg_class AS r ON r.oid = n.conrelid LEFT JOIN pg_type AS t ON t.oid = n.contypid
     WHERE n.connamespace = 'pgq'::regnamespace
    UNION ALL
    SELECT format('rule %s: %s', r.rulename, pg_get_ruledef(r.oid))
      FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class WHERE c.relnamespace = 'pgq'::regnamespace
    UNION ALL
    SELECT format('trigger %s', pg_get_triggerdef(g.oid))
      FROM pg_trigger AS g JOIN pg_class AS c ON c.oid = g.tgrelid WHERE c.relnamespace = 'pgq'::regnamespace
    UNION ALL
    SELECT format('function %s: %s %s %s', p.oid::regprocedure, pg_get_functiondef(p.oid), p.proacl, pg_get_userbyid(p.proowner))
      FROM pg_proc AS p WHERE p.pronamespace = 'pgq'::regnamespace AND p.prokind IN ('f', 'p')
    UNION ALL
    SELECT format('aggregate or window %s: %s', p.oid::regprocedure, p.proacl)
      FROM pg_proc AS p WHERE p.pronamespace = 'pgq'::regnamespace AND p.prokind NOT IN ('f', 'p')
    UNION ALL
    SELECT format('type %s: %s', t.typname, concat_ws(' ', t.typtype, t.typacl, (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = t.oid)))
      FROM pg_type AS t WHERE t.typnamespace = 'pgq'::regnamespace
    UNION ALL
    SELECT format('member %s', pg_describe_object(d.classid, d.objid, d.objsubid))
      FROM pg_depend AS d JOIN pg_extension AS x ON x.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
     WHERE x.extname = 'pgqueuer' AND d.deptype = 'e'
    UNION ALL
    SELECT format('dumped %s: %s', t.relation::regclass, t.condition)
      FROM pg_extension AS x, unnest(x.extconfig, x.extcondition) AS t (relation, condition) WHERE x.extname = 'pgqueuer'
    UNION ALL
    SELECT format('comment on %s: %s', pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description)
      FROM pg_description AS d JOIN pg_depend AS m ON (m.classid, m.objid) = (d.classoid, d.objoid) AND m.deptype = 'e'
      JOIN pg_extension AS x ON x.oid = m.refobjid AND m.refclassid = 'pg_extension'::regclass AND x.extname = 'pgqueuer'
    UNION ALL
    SELECT format('schema %s: %s', n.nspname, n.nspacl) FROM pg_namespace AS n WHERE n.nspname = 'pgq'
    UNION ALL
    SELECT format('first grants on %s: %s', pg_describe_object(i.classoid, i.objoid, i.objsubid), i.initprivs)
      FROM pg_init_privs AS i WHERE i.privtype = 'e' AND pg_describe_object(i.classoid, i.objoid, i.objsubid) LIKE '%pgq%'
  ) AS object (line)
 ORDER BY 1
