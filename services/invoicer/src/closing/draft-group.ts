import type { ClickHouse } from '@tidemark/infra/clickhouse/client.ts'
import type { Queryable } from '@tidemark/infra/postgres/pool.ts'
import type { Cut } from '@tidemark/schemas/cut.ts'
import type { Micros } from '@tidemark/schemas/money.ts'
import { completeDraft, composeNet, type Draft, isRefusal, type Refusal } from '../invoicing/compose.ts'
import type { DueInvoice } from '../invoicing/due-invoice.ts'
import type { TaxSource } from '../invoicing/tax.ts'
import { usageNeeds } from '../invoicing/usage-needs.ts'
import { type NeedQuestion, readPeriod, type UsageReader } from './billed-usage.ts'
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
  for (const { due, questions: own } of asked) {
    const draft = await draftInvoice(deps, tenant, due, own, read, spentOf)
    if (isRefusal(draft)) drafted.refused.push(draft)
    else drafted.drafts.push(draft)
  }
  return drafted
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

async function draftInvoice(
  { tax }: DraftingDeps,
  tenant: string,
  due: DueInvoice,
  questions: readonly NeedQuestion[],
  read: UsageReader | undefined,
  spentOf: SpentOf,
): Promise<Draft | Refusal> {
  const usage = read ? await Promise.all(questions.map(read)) : []
  const net = composeNet({ due, usage, spentMicros: await spentOf(due) })
  if (isRefusal(net)) return net
  const answer = await tax(tenant, net)
  return isRefusal(answer) ? answer : completeDraft(net, answer)
}
