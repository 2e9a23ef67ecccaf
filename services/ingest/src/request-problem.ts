import { HttpProblem } from '@tidemark/infra/process/problem.ts'
import { type RequestFaultCode, requestFaultTexts, withDetail } from './events/fault-codes.ts'

/** The refusal of a request as a whole; `detail` says what was found or which limit holds. */
export const requestProblem = (
  status: number,
  code: RequestFaultCode,
  detail = '',
  more: { extensions?: Record<string, unknown>; headers?: Record<string, string> } = {},
): HttpProblem =>
  new HttpProblem({ status, code, detail: withDetail(requestFaultTexts[code], detail), ...more })

/** A 503 whose cause is expected to pass. */
export const unavailableProblem = (code: RequestFaultCode): HttpProblem =>
  requestProblem(503, code, '', { headers: { 'retry-after': '2' } })

/** @returns 503 */
export const overloadedProblem = (): HttpProblem => unavailableProblem('overloaded')
