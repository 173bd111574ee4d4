-- The checks of the server, what is not well first.
SELECT row_to_json(h)
  FROM (SELECT h."check", h.ok, h.detail, h.hint
          FROM pgq.health() WITH ORDINALITY AS h("check", ok, detail, hint, place)
         ORDER BY h.ok, h.place) AS h
