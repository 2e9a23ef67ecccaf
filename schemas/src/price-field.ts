import { Type } from 'typebox'

/** Texts that prices are made of: what each number may be, so that amounts stay exact and stores can hold them. */

export const unitPriceSchema = Type.String({
  pattern: '^\\d{1,12}(\\.\\d{1,12})?$',
  description: 'Decimal text in major units of the currency, such as 0.0175, with at most 12 decimals',
})

export const amountSchema = Type.String({
  pattern: '^\\d{1,12}(\\.\\d{1,6})?$',
  description: 'Decimal text in major units of the currency, such as 29.00, with at most 6 decimals',
})

export const quantitySchema = Type.String({
  pattern: '^\\d{1,29}(\\.\\d{1,9})?$',
  description: 'Decimal text such as 1000 or 0.5, with at most 9 decimals',
})

/** Of what a division by it must make sense. */
export const sizeSchema = Type.String({
  pattern: '^(?=.*[1-9])\\d{1,29}(\\.\\d{1,9})?$',
  description: 'Decimal text above zero, such as 1000 or 0.5, with at most 9 decimals',
})

export const percentSchema = Type.String({
  pattern: '^\\d{1,4}(\\.\\d{1,12})?$',
  description: 'Percent as decimal text, such as 2.9, with at most 12 decimals',
})

/** What is above a commitment is multiplied by it. */
export const factorSchema = Type.String({
  pattern: '^\\d{1,4}(\\.\\d{1,12})?$',
  description: 'Factor as decimal text, such as 1.5, with at most 12 decimals',
})

export const countSchema = Type.String({
  pattern: '^\\d{1,15}$',
  description: 'Whole number as text, such as 100',
})
