import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Store } from '../../src/lake/index.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = async (store: Store, path: string): Promise<string> =>
  new TextDecoder().decode(await store.read(path))

/** What every store must do; `open` gives an empty one. */
export function storeContract(name: string, open: (t: TestContext) => Promise<Store>): void {
  test(`${name}: of many that put at once exactly one wins, and its bytes stay`, async (t) => {
    const store = await open(t)
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        store.put('a/b/log.json', bytes(`writer ${index}`), { ifAbsent: true }),
      ),
    )
    const winner = outcomes.indexOf(true)
    assert.equal(outcomes.filter((won) => won).length, 1)
    assert.equal(await text(store, 'a/b/log.json'), `writer ${winner}`)
  })

  test(`${name}: put replaces, delete may be said twice, reading what is not there is ENOENT`, async (t) => {
    const store = await open(t)
    await store.put('pointer', bytes('1'))
    await store.put('pointer', bytes('22'))
    assert.equal(await text(store, 'pointer'), '22')
    await store.delete('pointer')
    await store.delete('pointer')
    await assert.rejects(store.read('pointer'), { code: 'ENOENT' })
    await assert.rejects(store.read('no/folder/either'), { code: 'ENOENT' })
  })

  test(`${name}: list gives what lies directly in a folder, ascending, after a name, and nothing temporary`, async (t) => {
    const store = await open(t)
    for (const path of ['f/10', 'f/02', 'f/01', 'f/sub/deep', 'g/1']) await store.put(path, bytes('abc'))
    const names = async (folder: string, after?: string): Promise<string[]> =>
      (await store.list(folder, after)).map((entry) => entry.path)
    assert.deepEqual(await names('f/'), ['f/01', 'f/02', 'f/10', 'f/sub/'])
    assert.deepEqual(await names('f/', 'f/02'), ['f/10', 'f/sub/'])
    assert.deepEqual(await names(''), ['f/', 'g/'])
    assert.deepEqual(await names('nothing/'), [])
    assert.equal((await store.list('g/'))[0]?.bytes, 3)
  })
}
