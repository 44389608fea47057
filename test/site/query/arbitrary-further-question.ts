import type fc from 'fast-check'
import {
  compared,
  grouping,
  made,
  known,
  knownOfSessions,
  pairs,
  pairsOfSessions,
  found,
} from './arbitrary-comparison.ts'
import {
  ages,
  figuresOfSpans,
  ofOwnRows,
  publicNames,
  spans,
  sumsOfOwnRows,
  writtenValues,
} from './arbitrary-analyst.ts'
import { documents, documentsOfPerson } from './arbitrary-document.ts'
import {
  lateral,
  lateralRows,
  firstRows,
  distinctOn,
  personSets,
  natural,
  peopleOfAll,
  written,
  writtenElsewhere,
  writtenKept,
} from './arbitrary-relation.ts'
import { decidedSums, decidedSumsOfSessions, spreadsOfSums } from './arbitrary-sum.ts'
import { framed } from './arbitrary-window.ts'

/* Questions of rarer shapes over `athletes` (a row a person) and `sessions` (several; of one person at different times). */

/** Every rarer shape, with its name. */
export const FURTHER_SHAPES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  lateral,
  'lateral rows': lateralRows,
  'first rows': firstRows,
  'distinct on': distinctOn,
  'sets of people': personSets,
  'people of all': peopleOfAll,
  frames: framed,
  compared,
  natural,
  grouping,
  made,
  documents,
  'documents of a person': documentsOfPerson,
  written,
  'written elsewhere': writtenElsewhere,
  'written and kept': writtenKept,
  found,
  known,
  'known of sessions': knownOfSessions,
  pairs,
  'pairs of sessions': pairsOfSessions,
  spans,
  ages,
  'public names': publicNames,
  'of own rows': ofOwnRows,
  'sums of own rows': sumsOfOwnRows,
  'figures of spans': figuresOfSpans,
  'written values': writtenValues,
  'decided sums': decidedSums,
  'decided sums of sessions': decidedSumsOfSessions,
  'spreads of sums': spreadsOfSums,
}
