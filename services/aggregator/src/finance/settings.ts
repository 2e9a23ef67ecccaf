import { Type } from 'typebox'

export const financeSettings = {
  AGGREGATOR_FINANCE_USERS_DIRECTORY: Type.String({
    default: '',
    examples: ['/etc/clickhouse-server/users.d'],
    description:
      'ClickHouse’s folder users.d, where npm run finance-users writes; empty means that of the local stack.',
  }),
}
