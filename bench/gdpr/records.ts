/**
 * The records of GDPRbench (Shastri et al., PVLDB 13(7), 2020), one for each person, so that what it does by key and by
 * user is about the same person here. Purposes are terms of DPV; what it keeps in each record about consent is here the
 * person's grant and objections.
 */

/** Purposes of which none is part of another, so that a grant of one allows no other. */
export const PURPOSES = [
  'dpv:AcademicResearch',
  'dpv:AccountManagement',
  'dpv:CommunicationForCustomerCare',
  'dpv:CombatClimateChange',
  'dpv:FraudPreventionAndDetection',
  'dpv:ProvideOfficialStatistics',
] as const
export type Purpose = (typeof PURPOSES)[number]

const SOURCES = 10
const DATA_LENGTH = 100

/** One record as it is created. */
export interface GdprRecord {
  readonly user: string
  readonly data: string
  readonly source: string
  readonly purpose: Purpose
}

/** The record of a number. */
export function recordOf(number: number): GdprRecord {
  return {
    user: `user${number}`,
    data: dataOf(number),
    source: `src${number % SOURCES}`,
    purpose: PURPOSES[Math.floor(number / SOURCES) % PURPOSES.length] ?? PURPOSES[0],
  }
}

/** Its data: the number, and then again and again the hash (of Java's String) of all there is, cut to a hundred characters. */
export function dataOf(number: number): string {
  let text = String(number)
  while (text.length < DATA_LENGTH) {
    let hash = 0
    for (const character of text) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0
    text += String(hash)
  }
  return text.slice(0, DATA_LENGTH)
}
