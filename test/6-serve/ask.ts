import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import { Problem, ROUTES, type AnswerOf, type QueryOf, type Routes } from '../../src/6-serve/contract.ts'

/** Asks a route and holds its answer against the contract. */
export async function get<Name extends keyof Routes>(
  from: FastifyInstance,
  name: Name,
  query: QueryOf<Name>,
): Promise<AnswerOf<Name>> {
  const response = await from.inject({ url: ROUTES[name].path, query: query as Record<string, string> })
  assert.equal(response.statusCode, 200, response.body)
  return ROUTES[name].answer.parse(response.json()) as AnswerOf<Name>
}

export async function problem(
  from: FastifyInstance,
  url: string,
  status: number,
  code: string,
): Promise<Problem> {
  const response = await from.inject(url)
  assert.equal(response.statusCode, status, `${url}: ${response.body}`)
  assert.match(String(response.headers['content-type']), /^application\/problem\+json/)
  const told = Problem.parse(response.json())
  assert.equal(told.code, code)
  assert.equal(told.status, status)
  assert.ok(told.cure.length > 0)
  return told
}
