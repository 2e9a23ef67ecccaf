import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import {
  completeDraft,
  composeNet,
  type Draft,
  isRefusal,
  type NetDraft,
  type Refusal,
} from '../invoicing/compose.ts'
import type { DueInvoice } from '../invoicing/due-invoice.ts'
import type { RefusalReason } from '../invoicing/refusal.ts'
import type { Taxed, TaxSource } from '../invoicing/tax.ts'
import { usageNeeds } from '../invoicing/usage-needs.ts'
import { type NeedQuestion, readPeriod } from './billed-usage.ts'
import type { DueGroup } from './due.ts'
import { readNewestMeters } from './meters.ts'
import { clipAll } from './usage.ts'

export type DraftingDeps = {
  readonly pool: Queryable
  readonly clickHouse: ClickHouse
  readonly tax: TaxSource
}

export type Drafted = { readonly drafts: Draft[]; readonly refused: Refusal[] }

/** What a draft takes besides usage: what earlier invoices have charged of the term that ends with it. */
export type SpentOf = (due: DueInvoice) => Promise<Micros>

/** Computes the invoices of one group from usage at the cut; nothing is stored. @throws CloseStopped */
export async function draftGroup(
  deps: DraftingDeps,
  { tenant, cut, spentOf }: { tenant: string; cut: Cut; spentOf: SpentOf },
  group: Pick<DueGroup, 'reading' | 'due'>,
): Promise<Drafted> {
  const asked = await questionsOf(deps.pool, tenant, group.due)
  const questions = asked.flatMap((each) => each.questions)
  const read =
    questions.length === 0
      ? undefined
      : await readPeriod(deps.clickHouse, { tenant, period: group.reading, cut, questions })
  const drafted: Drafted = { drafts: [], refused: [] }
  const nets: NetDraft[] = []
  for (const { due, questions: own } of asked) {
    const usage = read ? await Promise.all(own.map(read)) : []
    const net = composeNet({ due, usage, spentMicros: await spentOf(due) })
    if (isRefusal(net)) drafted.refused.push(net)
    else nets.push(net)
  }
  const taxed = await deps.tax(tenant, nets)
  for (const [index, net] of nets.entries()) {
    const draft = withTax(net, taxed[index])
    if (isRefusal(draft)) drafted.refused.push(draft)
    else drafted.drafts.push(draft)
  }
  return drafted
}

/** Without an answer about its tax the period stays open. */
export function withTax(net: NetDraft, tax: Taxed | RefusalReason | undefined): Draft | Refusal {
  if (tax && 'answer' in tax) return completeDraft(net, tax)
  return { due: net.due, ...(tax ?? { code: 'tax_unavailable', reason: 'nobody has said what tax is due' }) }
}

type Asked = { readonly due: DueInvoice; readonly questions: NeedQuestion[] }

/** What has to be read for each invoice; a need whose meter is gone is left out, and refused later. */
export async function questionsOf(
  queryable: Queryable,
  tenant: string,
  dues: readonly DueInvoice[],
): Promise<Asked[]> {
  const needs = dues.map((due) => ({
    due,
    needs:
      due.kind === 'advance' ? [] : usageNeeds(due.subscription, { served: due.period, whole: due.whole }),
  }))
  const keys = [...new Set(needs.flatMap((each) => each.needs.map(({ meter }) => meter)))]
  const meters = await readNewestMeters(queryable, tenant, keys)
  return needs.map(({ due, needs: own }) => ({
    due,
    questions: own.flatMap((need) => {
      const meter = meters.get(need.meter)
      const mappings = need.windows.flatMap((window) => clipAll(due.subscription.mappings, window))
      return meter ? [{ need, meter, mappings }] : []
    }),
  }))
}
