import { answer, type Operation } from '@tidemark/infra/openapi/operation.ts'
import { addOnItemSchema, addOnSchema } from '@tidemark/schemas/add-on.ts'
import { planItemSchema, planSchema } from '@tidemark/schemas/plan.ts'
import { type TObject, Type } from 'typebox'
import {
  badRequest,
  ifMatch,
  invalidCatalogue,
  pageOfSchema,
  revised,
  revisionConflict,
  unknown,
  withKey,
} from '../openapi/refusals.ts'
import { addOnExample, applied, planExample, versionExample } from './catalogue-examples.ts'
import { applyResultSchema, versionSchema } from './catalogue-schemas.ts'
import { applyQuery } from './catalogue-writing.ts'
import { itemParams, listQuery, versionParams, versionsQuery } from './versions.ts'

type Noun = {
  /** As sentences say it, one and many. */
  readonly one: string
  readonly many: string
  /** As an operation's name has it. */
  readonly name: string
  readonly list: string
  readonly code: string
  readonly item: TObject
  readonly definition: TObject
  readonly example: { readonly id: string }
}

const tags = ['Plans and add-ons']
const writer = withKey('admin', badRequest, revisionConflict, invalidCatalogue)
const reader = withKey('read', badRequest)

/** Plans and add-ons are alike; each has its own operations. */
function operationsOf({ one, many, name, list, code, item, definition, example }: Noun): Operation[] {
  const { id } = example
  const noItem = unknown(code, `There is no ${one} "none"; GET ${list} lists those that exist.`)
  const noVersion = unknown(
    'version_unknown',
    `There is no version 9 of ${one} "${id}"; GET ${list}/${id}/versions lists those that exist.`,
  )
  const shown = Type.Object({ ...definition.properties, ...versionSchema.properties })
  const shownExample = { ...example, ...versionExample }
  const page = answer('A page of them.', pageOfSchema(shown), { items: [shownExample], nextCursor: null })
  const write = {
    tags,
    security: writer.security,
    querystring: applyQuery,
    headers: ifMatch,
    body: { ...item, examples: [example] },
    response: {
      200: revised('What changed, or would change.', applyResultSchema, applied(one, id, 'new version', 2)),
      ...writer.refused,
    },
  }
  const setState = (from: string, to: string) =>
    ({
      tags,
      security: writer.security,
      headers: ifMatch,
      params: versionParams,
      response: {
        200: revised('The version as it is now.', shown, { ...shownExample, state: to }),
        ...withKey('admin', badRequest, noVersion, revisionConflict, illegalState(from, to), invalidCatalogue)
          .refused,
      },
    }) as const
  return [
    {
      method: 'GET',
      url: list,
      schema: {
        operationId: `list${name}s`,
        summary: `List ${many}`,
        description: `The newest version of each, drafts included, by id.`,
        tags,
        security: reader.security,
        querystring: listQuery,
        response: { 200: page, ...reader.refused },
      },
    },
    {
      method: 'POST',
      url: list,
      schema: {
        operationId: `apply${name}`,
        summary: `Create or change ${article(one)}`,
        description: `A changed definition is a new version, published at once unless its state says draft; a draft may change until it is published, what is published never does. Publishing finds what could not be billed: unknown meters and dimensions, tiers out of order, amounts that the currency cannot hold.`,
        ...write,
      },
    },
    {
      method: 'GET',
      url: `${list}/:id`,
      schema: {
        operationId: `read${name}`,
        summary: `Read ${article(one)}`,
        description: 'Its newest version, and the revision of all of them in the etag.',
        tags,
        security: reader.security,
        params: itemParams,
        response: {
          200: revised('The newest version.', shown, shownExample),
          ...withKey('read', badRequest, noItem).refused,
        },
      },
    },
    {
      method: 'PUT',
      url: `${list}/:id`,
      schema: {
        operationId: `set${name}`,
        summary: `Set ${article(one)}`,
        description: 'As POST, under the id of the address.',
        ...write,
        params: itemParams,
      },
    },
    {
      method: 'GET',
      url: `${list}/:id/versions`,
      schema: {
        operationId: `list${name}Versions`,
        summary: `List the versions of ${article(one)}`,
        description: 'All of them, newest first.',
        tags,
        security: reader.security,
        params: itemParams,
        querystring: versionsQuery,
        response: { 200: page, ...withKey('read', badRequest, noItem).refused },
      },
    },
    {
      method: 'GET',
      url: `${list}/:id/versions/:version`,
      schema: {
        operationId: `read${name}Version`,
        summary: `Read one version of ${article(one)}`,
        description: 'As certificates and subscriptions name it.',
        tags,
        security: reader.security,
        params: versionParams,
        response: {
          200: revised('The version.', shown, shownExample),
          ...withKey('read', badRequest, noVersion).refused,
        },
      },
    },
    {
      method: 'POST',
      url: `${list}/:id/versions/:version/publish`,
      schema: {
        operationId: `publish${name}Version`,
        summary: `Publish a draft of ${article(one)}`,
        description:
          'Checks it anew and publishes it: from now on it never changes, and new subscriptions get it.',
        ...setState('draft', 'published'),
      },
    },
    {
      method: 'POST',
      url: `${list}/:id/versions/:version/deprecate`,
      schema: {
        operationId: `deprecate${name}Version`,
        summary: `Deprecate a version of ${article(one)}`,
        description: 'It takes no new subscriptions; those that exist go on. This cannot be undone.',
        ...setState('published', 'deprecated'),
      },
    },
  ]
}

const article = (noun: string): string => (noun.startsWith('a') ? `an ${noun}` : `a ${noun}`)

const illegalState = (from: string, to: string) => ({
  status: 409,
  code: 'illegal_state',
  detail: `Version 1 of "pro" is deprecated and cannot become ${to}: only what is ${from} can.`,
  extensions: { state: 'deprecated' },
})

export const versionOperations: readonly Operation[] = [
  ...operationsOf({
    one: 'plan',
    many: 'plans',
    name: 'Plan',
    list: '/v1/plans',
    code: 'plan_unknown',
    item: planItemSchema,
    definition: planSchema,
    example: planExample,
  }),
  ...operationsOf({
    one: 'add-on',
    many: 'add-ons',
    name: 'AddOn',
    list: '/v1/add-ons',
    code: 'add_on_unknown',
    item: addOnItemSchema,
    definition: addOnSchema,
    example: addOnExample,
  }),
]
