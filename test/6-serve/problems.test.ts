import assert from 'node:assert/strict'
import fastify from 'fastify'
import { test } from 'node:test'
import { describeProblems, onError } from '../../src/6-serve/problems.ts'
import { ERRORS, statusOf, type ErrorCode } from '../../src/error-catalogue.ts'

test('the type of a problem leads to what the catalogue says of its code', async () => {
  const app = fastify()
  app.setErrorHandler(onError)
  describeProblems(app)
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const answer = await app.inject(`/problems/${code}`)
    assert.equal(answer.statusCode, 200)
    const { what, cure, status } = answer.json<{ what: string; cure: string; status: number }>()
    assert.deepEqual([what, cure, status], [ERRORS[code].what, ERRORS[code].cure, statusOf(code)])
  }
  const unknown = await app.inject('/problems/toString')
  assert.equal(unknown.statusCode, 404)
  const told = unknown.json<{ type: string; code: string; title: string }>()
  assert.deepEqual(
    [told.type, told.code, told.title],
    ['/problems/not_found', 'not_found', 'There is nothing here'],
  )
  await app.close()
})
