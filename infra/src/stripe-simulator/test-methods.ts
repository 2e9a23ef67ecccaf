/**
 * What the test payment methods of https://docs.stripe.com/testing do when they are charged. The table holds the
 * ones that a biller meets; an id that is not in it is refused by name.
 */
export type Decline = { code: string; declineCode?: string; message: string }

export type Behaviour =
  | { kind: 'succeed' }
  | { kind: 'decline'; decline: Decline }
  /** Asks the cardholder; `exemptOffSession` cards were set up for charges without them. */
  | { kind: 'authenticate'; exemptOffSession: boolean; afterwards?: Decline }
  /** A bank debit: processing first, the end comes days later. */
  | { kind: 'process'; ending: Decline | undefined }

export type TestMethod = {
  type: 'card' | 'us_bank_account'
  brand: string
  last4: string
  behaviour: Behaviour
}

const genericDecline: Decline = {
  code: 'card_declined',
  declineCode: 'generic_decline',
  message: 'Your card was declined.',
}
const insufficientFunds: Decline = {
  code: 'card_declined',
  declineCode: 'insufficient_funds',
  message: 'Your card has insufficient funds.',
}

/** The answer to an off-session charge of a card whose bank asks for the cardholder. */
export const authenticationRequired: Decline = {
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
}

/** https://docs.stripe.com/error-codes: the cardholder did not authenticate. */
export const authenticationFailed: Decline = {
  code: 'payment_intent_authentication_failure',
  message:
    'The provided PaymentMethod has failed authentication. Provide a new PaymentMethod to attempt to fulfill this PaymentIntent again.',
}

const declines: Record<string, { last4: string; decline: Decline }> = {
  chargeDeclined: { last4: '0002', decline: genericDecline },
  chargeDeclinedInsufficientFunds: { last4: '9995', decline: insufficientFunds },
  chargeDeclinedLostCard: { last4: '9987', decline: { ...genericDecline, declineCode: 'lost_card' } },
  chargeDeclinedStolenCard: { last4: '9979', decline: { ...genericDecline, declineCode: 'stolen_card' } },
  chargeDeclinedVelocityLimitExceeded: {
    last4: '6975',
    decline: { ...genericDecline, declineCode: 'card_velocity_exceeded' },
  },
  chargeDeclinedExpiredCard: {
    last4: '0069',
    decline: { code: 'expired_card', message: 'Your card has expired.' },
  },
  chargeDeclinedIncorrectCvc: {
    last4: '0127',
    decline: { code: 'incorrect_cvc', message: "Your card's security code is incorrect." },
  },
  chargeDeclinedProcessingError: {
    last4: '0119',
    decline: { code: 'processing_error', message: 'An error occurred while processing your card.' },
  },
  chargeCustomerFail: { last4: '0341', decline: genericDecline },
}

function card(last4: string, behaviour: Behaviour, brand = 'visa'): TestMethod {
  return { type: 'card', brand, last4, behaviour }
}

function bankAccount(ending: Decline | undefined): TestMethod {
  return {
    type: 'us_bank_account',
    brand: 'STRIPE TEST BANK',
    last4: '6789',
    behaviour: { kind: 'process', ending },
  }
}

const methods = new Map<string, TestMethod>([
  ['pm_card_visa', card('4242', { kind: 'succeed' })],
  ['pm_card_visa_debit', card('5556', { kind: 'succeed' })],
  ['pm_card_mastercard', card('4444', { kind: 'succeed' }, 'mastercard')],
  ['pm_card_amex', card('0005', { kind: 'succeed' }, 'amex')],
  ['pm_card_authenticationRequired', card('3184', { kind: 'authenticate', exemptOffSession: false })],
  ['pm_card_authenticationRequiredOnSetup', card('3155', { kind: 'authenticate', exemptOffSession: false })],
  [
    'pm_card_authenticationRequiredSetupForOffSession',
    card('0446', { kind: 'authenticate', exemptOffSession: true }),
  ],
  [
    'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds',
    card('3178', { kind: 'authenticate', exemptOffSession: false, afterwards: insufficientFunds }),
  ],
  ['pm_usBankAccount_success', bankAccount(undefined)],
  ['pm_usBankAccount_processing', bankAccount(undefined)],
  [
    'pm_usBankAccount_insufficientFunds',
    bankAccount({ code: 'insufficient_funds', message: 'The bank account has insufficient funds.' }),
  ],
])

// Both spellings are in use: pm_card_chargeDeclined and pm_card_visa_chargeDeclined are the same card.
for (const [name, { last4, decline }] of Object.entries(declines)) {
  for (const prefix of ['pm_card_', 'pm_card_visa_']) {
    methods.set(`${prefix}${name}`, card(last4, { kind: 'decline', decline }))
  }
}

export function findTestMethod(testId: string): TestMethod | undefined {
  return methods.get(testId)
}

export function testMethodIds(): string[] {
  return [...methods.keys()]
}
