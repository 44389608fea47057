import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pinFile } from '../cli/member-profile.ts'
import { readReceiptFile } from '../cli/trade/receipt-files.ts'
import type { Session } from '../cli/session.ts'
import { verifyReceipt } from '../sdk/verify.ts'
import { counted, heading, step } from './report.ts'

/** Verifies every receipt that any acquirer of the demonstration was ever given, off line, and that a changed one does not. */
export async function tellProofs(session: Session): Promise<readonly string[]> {
  const { terminal } = session
  heading(terminal, 'Proof')
  const problems: string[] = []
  let verified = 0
  let isChangeSeen = false
  for (const member of await readdir(join(session.home, 'members'))) {
    const directory = join(session.home, 'members', member)
    const pinned = await pinFile(directory).read()
    for (const name of await readdir(join(directory, 'receipts')).catch((): string[] => [])) {
      const file = join(directory, 'receipts', name)
      for (const bundle of await readReceiptFile(file)) {
        const result = verifyReceipt(bundle, pinned)
        if (result.isVerified) verified += 1
        else problems.push(`"${file}" does not verify: ${result.problem}`)
        const [head = '', payload = '', signature = ''] = bundle.receipt.split('.')
        const changed = `${head}.${Buffer.from(Buffer.from(payload, 'base64url').toString().replace('"site"', '"Site"')).toString('base64url')}.${signature}`
        isChangeSeen ||= !verifyReceipt({ ...bundle, receipt: changed }, pinned).isVerified
      }
    }
  }
  if (verified === 0) problems.push('no receipt was there to verify')
  if (!isChangeSeen) problems.push('a receipt that was changed still verifies')
  step(
    terminal,
    `${counted(verified)} receipts verify off line: signature, place in the log, inclusion proof, checkpoint; one that is changed does not`,
  )
  return problems
}
