import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { makeDirectory } from '../../kernel/make-directory.ts'
import { peekJws } from '../../kernel/crypto/jws.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { receiptBundleSchema } from '../../protocol/decision.ts'
import type { ReceiptBundle } from '../../protocol/decision.ts'
import type { AskResult } from '../../sdk/acquirer.ts'
import { WrongUse } from '../failures.ts'
import { readNamed } from '../open-file.ts'

/**
 * A file of receipts: one bundle, a list of them, or an ask's receipts as they are kept under `receipts/`. It is all
 * that verification needs beside the signers' keys.
 */
const receiptFileSchema = z.union([
  receiptBundleSchema,
  z.array(receiptBundleSchema),
  z.object({ receipts: z.array(receiptBundleSchema) }),
])

/** Every receipt in a file. */
export async function readReceiptFile(file: string): Promise<readonly ReceiptBundle[]> {
  const parsed = receiptFileSchema.safeParse(parseJson(await readNamed(file)))
  if (!parsed.success)
    throw new WrongUse(
      `Cannot read "${file}": expected receipts with their proofs, as "hedgerow receipt fetch" writes them`,
    )
  if (Array.isArray(parsed.data)) return parsed.data
  return 'receipts' in parsed.data ? parsed.data.receipts : [parsed.data]
}

/** Keeps what an ask brought, so that it can be verified years later without anybody's help. */
export async function keepReceipts(
  memberDirectory: string,
  result: Pick<AskResult, 'id' | 'receipt' | 'sites'>,
): Promise<readonly string[]> {
  const bundles = [
    ...(result.receipt ? [result.receipt] : []),
    ...result.sites.flatMap((site) => site.bundles),
  ]
  const directory = join(memberDirectory, 'receipts')
  return writeReceipts(directory, bundles, `${result.id}-`)
}

/** Writes each receipt to a file of its own and gives their paths. */
export async function writeReceipts(
  directory: string,
  bundles: readonly ReceiptBundle[],
  prefix = '',
): Promise<readonly string[]> {
  makeDirectory(directory)
  const files: string[] = []
  for (const bundle of bundles) {
    const file = join(directory, `${prefix}${signerOf(bundle)}-${bundle.log.index}.json`)
    await writeFile(file, `${JSON.stringify(bundle, null, 2)}\n`)
    files.push(file)
  }
  return files
}

function signerOf(bundle: ReceiptBundle): string {
  const payload = parseJson(peekJws(bundle.receipt)?.payload ?? '')
  const named = z.object({ site: z.string().regex(/^[a-z][a-z0-9-]*$/) }).safeParse(payload)
  return named.success ? named.data.site : 'unknown'
}
