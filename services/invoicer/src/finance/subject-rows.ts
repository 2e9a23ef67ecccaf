/** A mapping as PostgreSQL holds it; the subject is null when the tenant has none. */
export type SubjectRow = {
  subject: string | null
  customer: string
  from: string | null
  to: string | null
}

/** A mapping as billing_subjects holds it. */
export type PublishedSubject = {
  subject: string
  valid_from: string
  valid_to: string
  customer: string
}

/** Beyond every event in either direction. */
const always = '1970-01-01T00:00:00.000000Z'
const withoutEnd = '2200-01-01T00:00:00.000000Z'

/** What has to be written so that the published mappings are those of the catalogue. */
export function changedRows(
  rows: readonly SubjectRow[],
  published: readonly PublishedSubject[],
): (PublishedSubject & { removed: 0 | 1 })[] {
  const wanted = new Map(
    rows.flatMap(({ subject, customer, from, to }) => {
      if (subject === null) return []
      const row = { subject, valid_from: from ?? always, valid_to: to ?? withoutEnd, customer }
      return [[keyOf(row), row] as const]
    }),
  )
  const known = new Map(published.map((row) => [keyOf(row), row]))
  const written = [...wanted.values()].filter((row) => !isSame(row, known.get(keyOf(row))))
  const gone = published.filter((row) => !wanted.has(keyOf(row)))
  return [
    ...written.map((row) => ({ ...row, removed: 0 as const })),
    ...gone.map((row) => ({ ...row, removed: 1 as const })),
  ]
}

const keyOf = ({ subject, valid_from }: PublishedSubject): string => JSON.stringify([subject, valid_from])

const isSame = (row: PublishedSubject, other: PublishedSubject | undefined): boolean =>
  row.valid_to === other?.valid_to && row.customer === other.customer
