import { Failure } from '../process/failure.ts'

const name = /^[A-Za-z_]\w*$/
const table = /^([A-Za-z_]\w*\.)?[A-Za-z_]\w*$/

/** Names cannot be parameters of a statement, so only plain ones may become part of its text. */
export function checkTable(text: string): string {
  if (!table.test(text)) throw invalidName(text)
  return text
}

export function checkColumns(columns: readonly string[]): string {
  for (const column of columns) if (!name.test(column)) throw invalidName(column)
  return columns.join(', ')
}

function invalidName(text: string): Failure {
  return new Failure(`${JSON.stringify(text)} is no name of a table or column`, {
    code: 'clickhouse_invalid_name',
    retryable: false,
  })
}
