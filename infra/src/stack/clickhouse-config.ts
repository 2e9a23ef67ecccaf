import { join } from 'node:path'
import { logFile } from './places.ts'
import type { Credentials } from './server.ts'

/** What the server writes to its own files, and the caches that would otherwise grow to gigabytes. */
export function clickhouseConfig(stackFolder: string, folder: string): string {
  return `<clickhouse>
  <logger>
    <log>${logFile(stackFolder, 'clickhouse')}</log>
    <size>10M</size>
    <count>2</count>
  </logger>
  <users_config>${join(folder, 'users.xml')}</users_config>
  <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
  <background_pool_size>4</background_pool_size>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <mark_cache_size>134217728</mark_cache_size>
  <primary_index_cache_size>134217728</primary_index_cache_size>
  <index_mark_cache_size>33554432</index_mark_cache_size>
</clickhouse>
`
}

/**
 * Two users. The process that runs the server is itself a session of "default" without a password, which cannot be
 * turned off; so that user is stripped to starting the listeners and may read no table of any database.
 */
export function clickhouseUsers({ clickhouseUser, clickhousePassword }: Credentials): string {
  return `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <no_password/>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants>
    </default>
    <${clickhouseUser}>
      <password><![CDATA[${clickhousePassword}]]></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </${clickhouseUser}>
  </users>
</clickhouse>
`
}
