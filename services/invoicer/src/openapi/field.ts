import { Type } from 'typebox'

// Fields that answers share.

export const textOrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description })
export const money = (description: string) =>
  Type.String({ description: `${description}; decimal text in major units.` })
export const instant = (description: string) =>
  Type.String({ format: 'date-time', description: `${description}, UTC.` })
export const period = Type.Object(
  { start: instant('From'), end: instant('Until before') },
  { description: 'Half-open.' },
)
export const refusedPeriod = Type.Object({
  subscription: Type.String(),
  period,
  code: Type.String(),
  reason: Type.String(),
})
