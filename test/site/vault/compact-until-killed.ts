import { writeSync } from 'node:fs'
import { systemClock } from '../../../src/kernel/clock.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import { correction } from './a-correction.ts'

// A process of its own that compacts a vault again and again, forgets and corrects people meanwhile, two by two from the one
// that is named, and kills itself in the midst of the change after so many. Says whom it forgot and corrected once that was
// acknowledged.
const [directory = '', first = '', changes = ''] = process.argv.slice(2)
const vault = await openVault({ directory, clock: systemClock })
void compactAgainAndAgain()
let made = 0
for (let person = Number(first); ; person += 2) {
  killWhenDue()
  await vault.forget(person)
  say(person)
  killWhenDue()
  await vault.correct(correction(person + 1, 20, 30))
  await vault.correct(correction(person + 1, 10, 20))
  say(person + 1)
}

function killWhenDue(): void {
  if (made >= Number(changes)) setTimeout(() => process.kill(process.pid, 'SIGKILL'), made % 4)
}

function say(person: number): void {
  made += 1
  writeSync(1, `${person}\n`)
}

async function compactAgainAndAgain(): Promise<never> {
  for (;;) await vault.compact()
}
