-- Raised by whatever changes a tenant's subjects: what follows from them alone is done anew only then, and not at every
-- change of a catalogue with a hundred thousand of them.
CREATE TABLE billing.subject_revisions (
  tenant text PRIMARY KEY,
  revision bigint NOT NULL
);
INSERT INTO billing.subject_revisions SELECT DISTINCT tenant, 1 FROM billing.subjects;

CREATE FUNCTION billing.raise_subject_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO billing.subject_revisions AS r (tenant, revision)
  SELECT DISTINCT tenant, 1 FROM changed
  ON CONFLICT (tenant) DO UPDATE SET revision = r.revision + 1;
  RETURN NULL;
END
$$;

CREATE TRIGGER subjects_inserted AFTER INSERT ON billing.subjects REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION billing.raise_subject_revision();
CREATE TRIGGER subjects_deleted AFTER DELETE ON billing.subjects REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION billing.raise_subject_revision();

GRANT SELECT, INSERT, UPDATE ON billing.subject_revisions TO tidemark_invoicer;
