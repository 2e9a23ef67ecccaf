import { databaseName } from '@tidemark/schemas/prefix.ts'
import { financeDatabase, financeViews } from './finance-views.ts'
import type { FinanceLimits, FinanceUser, FinanceUsers } from './users-file.ts'

/** Users belong to the whole server, so that installations on one server need names of their own. */
export const userName = (prefix: string, name: string): string => `${prefix.replaceAll('-', '_')}${name}`

/** Name of the file in ClickHouse's folder users.d. */
export const usersFileName = (prefix: string): string => `${databaseName(prefix)}-finance.xml`

/**
 * The users as ClickHouse reads them from users.d. Every right is given by name, view by view, with a row policy beside
 * it, so that a view that is added later is closed until it is listed. All text in it comes from patterns that leave
 * nothing to escape.
 */
export function usersXml(prefix: string, { users, limits }: FinanceUsers): string {
  const profile = userName(prefix, 'tidemark_finance')
  const database = financeDatabase(databaseName(prefix))
  return `<!-- Written by the command finance-users. Change the file that it reads, not this one. -->
<clickhouse>
  <profiles>
${profileXml(profile, limits)}
  </profiles>
  <users>
${users.map((user) => userXml(userName(prefix, user.name), profile, database, user)).join('\n')}
  </users>
</clickhouse>
`
}

// readonly 1: a user of readonly 2 could change its limits' siblings, among them settings that reach networks.
const profileXml = (profile: string, limits: FinanceLimits): string => `    <${profile} replace="replace">
      <readonly>1</readonly>
      <allow_ddl>0</allow_ddl>
      <max_execution_time>${limits.seconds}</max_execution_time>
      <timeout_overflow_mode>throw</timeout_overflow_mode>
      <max_memory_usage>${limits.memoryBytes}</max_memory_usage>
      <max_rows_to_read>${limits.rowsRead}</max_rows_to_read>
      <read_overflow_mode>throw</read_overflow_mode>
      <max_result_rows>${limits.rowsAnswered}</max_result_rows>
      <result_overflow_mode>throw</result_overflow_mode>
      <max_concurrent_queries_for_user>${limits.queriesAtOnce}</max_concurrent_queries_for_user>
      <output_format_json_quote_decimals>1</output_format_json_quote_decimals>
      <output_format_json_quote_64bit_integers>1</output_format_json_quote_64bit_integers>
    </${profile}>`

function userXml(name: string, profile: string, database: string, user: FinanceUser): string {
  const { tenant, passwordSha256, networks = ['::/0'] } = user
  const filter = tenant === '*' ? '1' : `tenant = '${tenant}'`
  return `    <${name} replace="replace">
      <password_sha256_hex>${passwordSha256}</password_sha256_hex>
      <networks>${networks.map((network) => `<ip>${network}</ip>`).join('')}</networks>
      <profile>${profile}</profile>
      <quota>default</quota>
      <default_database>${database}</default_database>
      <grants>
${financeViews.map((view) => `        <query>GRANT SELECT ON ${database}.${view}</query>`).join('\n')}
      </grants>
      <databases>
        <${database}>
${financeViews.map((view) => `          <${view}><filter>${filter}</filter></${view}>`).join('\n')}
        </${database}>
      </databases>
    </${name}>`
}
