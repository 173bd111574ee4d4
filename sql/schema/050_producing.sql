-- Producing. The payload's argument name says its type, and only the text overload has a default, so that drivers
-- that send untyped parameters meet no ambiguity.

CREATE FUNCTION pgq.enqueue(
    entrypoint text, payload text DEFAULT NULL, priority int DEFAULT 0, execute_after timestamptz DEFAULT NULL,
    delay interval DEFAULT NULL, dedupe_key text DEFAULT NULL, on_conflict text DEFAULT 'raise',
    headers jsonb DEFAULT NULL, ordering_key text DEFAULT NULL
) RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_bytes_wrapper';
COMMENT ON FUNCTION pgq.enqueue(text, text, int, timestamptz, interval, text, text, jsonb, text) IS
$$Enqueues a job and returns its id; NULL where it was skipped. It exists when the transaction commits.

entrypoint: the kind of work, 1 to 255 bytes. payload: text, stored as UTF-8. priority: higher first. execute_after or
delay: earliest start. dedupe_key: unique among queued and picked jobs of all entrypoints. on_conflict: raise,
skip or replace, which rewrites payload, priority, headers and start of the queued job that has the key.
headers: a JSON object. ordering_key: jobs of the entrypoint with one key run one at a time, in order of enqueue.

Errors: 22023 for a bad argument, which it names; 23505 for a key that is taken.
Example: SELECT pgq.enqueue('fetch', 'hello world', priority => 5)$$;

CREATE FUNCTION pgq.enqueue(
    entrypoint text, payload_bytes bytea, priority int DEFAULT 0, execute_after timestamptz DEFAULT NULL,
    delay interval DEFAULT NULL, dedupe_key text DEFAULT NULL, on_conflict text DEFAULT 'raise',
    headers jsonb DEFAULT NULL, ordering_key text DEFAULT NULL
) RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_bytes_wrapper';
COMMENT ON FUNCTION pgq.enqueue(text, bytea, int, timestamptz, interval, text, text, jsonb, text) IS
$$As pgq.enqueue with a text payload, for bytes.
Example: SELECT pgq.enqueue('fetch', payload_bytes => '\x00ff')$$;

CREATE FUNCTION pgq.enqueue(
    entrypoint text, payload_json json, priority int DEFAULT 0, execute_after timestamptz DEFAULT NULL,
    delay interval DEFAULT NULL, dedupe_key text DEFAULT NULL, on_conflict text DEFAULT 'raise',
    headers jsonb DEFAULT NULL, ordering_key text DEFAULT NULL
) RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_bytes_wrapper';
COMMENT ON FUNCTION pgq.enqueue(text, json, int, timestamptz, interval, text, text, jsonb, text) IS
$$As pgq.enqueue with a text payload, for JSON, stored as its text.
Example: SELECT pgq.enqueue('fetch', payload_json => json_build_object('url', 'https://example.org'))$$;

CREATE FUNCTION pgq.enqueue(
    entrypoint text, payload_jsonb jsonb, priority int DEFAULT 0, execute_after timestamptz DEFAULT NULL,
    delay interval DEFAULT NULL, dedupe_key text DEFAULT NULL, on_conflict text DEFAULT 'raise',
    headers jsonb DEFAULT NULL, ordering_key text DEFAULT NULL
) RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_jsonb_wrapper';
COMMENT ON FUNCTION pgq.enqueue(text, jsonb, int, timestamptz, interval, text, text, jsonb, text) IS
$$As pgq.enqueue with a text payload, for JSON, stored as its text.
Example: SELECT pgq.enqueue('fetch', to_jsonb(NEW), priority => 5) in a trigger function$$;

CREATE FUNCTION pgq.enqueue_many(
    entrypoints text[], payloads bytea[], priorities int[] DEFAULT NULL, execute_after timestamptz[] DEFAULT NULL,
    dedupe_keys text[] DEFAULT NULL, on_conflict text DEFAULT 'raise', headers jsonb[] DEFAULT NULL,
    ordering_keys text[] DEFAULT NULL
) RETURNS bigint[] LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_many_bytes_wrapper';
COMMENT ON FUNCTION pgq.enqueue_many(text[], bytea[], int[], timestamptz[], text[], text, jsonb[], text[]) IS
$$Enqueues a job for every element of payloads, all or none; returns their ids in that order, NULL where one was skipped.

entrypoints: one for each payload, or an array of one for all. priorities, execute_after, dedupe_keys, headers,
ordering_keys: one for each payload, or NULL for the default everywhere. on_conflict: raise, skip or replace.

Errors: 22023 for a bad argument, which it names; 23505 for a key that is taken.
Example: SELECT pgq.enqueue_many('{fetch}', ARRAY['\x01', '\x02']::bytea[])$$;

CREATE FUNCTION pgq.enqueue_many_text(
    entrypoints text[], payloads text[], priorities int[] DEFAULT NULL, execute_after timestamptz[] DEFAULT NULL,
    dedupe_keys text[] DEFAULT NULL, on_conflict text DEFAULT 'raise', headers jsonb[] DEFAULT NULL,
    ordering_keys text[] DEFAULT NULL
) RETURNS bigint[] LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'enqueue_many_text_wrapper';
COMMENT ON FUNCTION pgq.enqueue_many_text(text[], text[], int[], timestamptz[], text[], text, jsonb[], text[]) IS
$$As pgq.enqueue_many, for text and JSON payloads.
Example: SELECT pgq.enqueue_many_text('{fetch}', ARRAY['one', 'two'])$$;
