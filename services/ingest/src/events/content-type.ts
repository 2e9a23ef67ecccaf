/** How a body holds events, by its media type. */
export type BodyForm = 'event' | 'batch' | 'either'

export type ContentType =
  | { readonly kind: 'form'; readonly form: BodyForm }
  | { readonly kind: 'unsupported_media_type' }
  | { readonly kind: 'charset_unsupported'; readonly charset: string }

const forms: ReadonlyMap<string, BodyForm> = new Map<string, BodyForm>([
  ['application/cloudevents+json', 'event'],
  ['application/cloudevents-batch+json', 'batch'],
  ['application/json', 'either'],
])

const charsetParameter = /;\s*charset\s*=\s*"?([^";\s]*)"?/i

/** Parameters are allowed; a charset other than UTF-8 is not. */
export function readContentType(header: string | undefined): ContentType {
  if (header === undefined) return { kind: 'unsupported_media_type' }
  const form = forms.get((header.split(';', 1)[0] ?? '').trim().toLowerCase())
  if (form === undefined) return { kind: 'unsupported_media_type' }
  const charset = charsetParameter.exec(header)?.[1]?.toLowerCase()
  if (charset === undefined || charset === 'utf-8' || charset === 'utf8') return { kind: 'form', form }
  return { kind: 'charset_unsupported', charset }
}
