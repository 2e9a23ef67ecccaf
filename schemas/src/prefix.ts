/**
 * One setting keeps installations and tests apart: it precedes topics, groups, databases and Redis keys. Letters, digits
 * and dashes; databases write the dashes as underscores.
 */
export const prefixPattern = '^([a-z][a-z0-9-]{0,30}-)?$'

export const databaseName = (prefix: string): string => `${prefix.replaceAll('-', '_')}tidemark`
