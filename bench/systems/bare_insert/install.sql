-- A table with the columns, checks and indexes of ours and nothing that reacts to a row.
-- The extension is here only to be copied from.
CREATE EXTENSION pgqueuer;
CREATE SCHEMA bare;
CREATE SEQUENCE bare.job_id_seq;
CREATE TABLE bare.job (LIKE pgq.job INCLUDING ALL);
ALTER TABLE bare.job
    ALTER id SET DEFAULT nextval('bare.job_id_seq'),
    ALTER created SET DEFAULT clock_timestamp(),
    ALTER due SET DEFAULT clock_timestamp(),
    ALTER producer SET DEFAULT current_user;
