import { createHash } from 'node:crypto'
import { canonicalJson, type Json } from '@tidemark/schemas/canonical-json.ts'
import type { VersionState } from '@tidemark/schemas/plan.ts'
import type { KnownVersions } from './known.ts'

/** A version of a plan or an add-on that is new, or that has a new state or content. */
export type VersionChange<Item> = {
  readonly item: Item
  readonly version: number
  readonly state: VersionState
  readonly sha256: string
  /** What was in force or drafted before; undefined for the first version. */
  readonly before: Item | undefined
  /** In words, such as `new version`. */
  readonly change: string
}

/** Of the canonical JSON: what certificates name a plan's or a meter's version by. */
export const sha256Of = (value: Json): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex')

/**
 * What applying an item does: it becomes a version, or changes or publishes the draft that is there, or deprecates the
 * newest version; undefined when all of it is so already. Without a state it is published.
 */
export function versionChange<Item extends { readonly [key: string]: Json }>(
  item: Item,
  wanted: VersionState | undefined,
  known: KnownVersions<Item> | undefined,
): VersionChange<Item> | undefined {
  const sha256 = sha256Of({ ...item })
  const newest = known?.newest
  const isSame = newest?.sha256 === sha256
  if (wanted === 'deprecated') {
    if (newest?.state !== 'published') return undefined
    return { ...newest, state: 'deprecated', before: newest.item, change: 'deprecated' }
  }
  const state = wanted ?? 'published'
  if (newest?.state === 'draft') {
    if (isSame && state === 'draft') return undefined
    const change = state === 'draft' ? 'draft changed' : 'published'
    return { item, version: newest.version, state, sha256, before: newest.item, change }
  }
  if (isSame) return undefined
  const change = state === 'draft' ? 'new draft' : newest ? 'new version' : 'created'
  return { item, version: (newest?.version ?? 0) + 1, state, sha256, before: newest?.item, change }
}

/** Why a state cannot be had; undefined when it can. */
export function stateFault<Item extends { readonly [key: string]: Json }>(
  item: Item,
  wanted: VersionState | undefined,
  known: KnownVersions<Item> | undefined,
): string | undefined {
  const newest = known?.newest
  const isSame = newest !== undefined && newest.sha256 === sha256Of({ ...item })
  if (wanted === 'deprecated' && !(isSame && newest.state !== 'draft'))
    return newest === undefined || newest.state === 'draft'
      ? 'only what is published can be deprecated: publish it first, or leave it out'
      : `only version ${newest.version}, as it was published, can be deprecated: write it unchanged`
  if (wanted === 'published' && isSame && newest.state === 'deprecated')
    return `version ${newest.version} is deprecated and stays so: change something to publish a new version`
  return undefined
}
