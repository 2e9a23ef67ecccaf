/** Every view of the finance database; each has the column `tenant`, by which a tenant's users are kept to their own. */
export const financeViews = [
  'meters',
  'usage_by_day',
  'usage_by_month',
  'late_usage',
  'adjusted_usage',
  'unreadable_usage',
  'completeness_by_day',
  'ledger_by_day',
] as const

/** @param database that of the installation */
export const financeDatabase = (database: string): string => `${database}_finance`
