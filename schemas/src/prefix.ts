/**
 * One setting keeps installations and tests apart: it precedes topics, groups, databases and Redis keys. Letters, digits
 * and dashes; databases write the dashes as underscores.
 */
export const prefixPattern = '^([a-z][a-z0-9-]{0,30}-)?$'

export const databaseName = (prefix: string): string => `${prefix.replaceAll('-', '_')}tidemark`

/** What to do where the database is not there: follows the server's own words. */
export const missingInstallation =
  'no installation has this name: set TIDEMARK_PREFIX to that of one (demo1- for a demonstration); npm start -- --empty makes the local one without a prefix'
