import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { serverUrl } from '../../../src/kernel/http/server-url.ts'
import { addressLeft, leaveAddress } from '../../../src/kernel/http/serving-address.ts'

test('leaveAddress() tells where a server listens while it runs, and takes it back', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-address-'))
  try {
    assert.equal(await addressLeft(join(directory, 'none')), undefined)
    {
      await using left = await leaveAddress(directory, serverUrl({ host: '::1', port: 7411 }))
      void left
      assert.equal(await addressLeft(directory), 'http://[::1]:7411')
    }
    assert.equal(await addressLeft(directory), undefined)
    assert.deepEqual(await readdir(directory), [])
    await writeFile(join(directory, 'address'), 'javascript:alert(1)\n')
    assert.equal(await addressLeft(directory), undefined, 'what is no address of a server is none')
  } finally {
    await rm(directory, { recursive: true })
  }
})
