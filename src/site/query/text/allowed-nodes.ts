/**
 * A table: every node of PostgreSQL's parse tree that a question may hold, with every field it may have. The tree is
 * checked against it before anything else looks at it, so a construct that is not written here, known or new, is
 * declined. `docs/reference/` shows it.
 */

/** What a field holds: a plain value, a node, a list of nodes, a list of nodes or of nothing (a word without more), a structure of a known kind, or one of a few words. */
export type FieldRule =
  | 'plain'
  | 'node'
  | 'nodes'
  | 'bare or nodes'
  | { readonly struct: NodeKind }
  | { readonly only: readonly (string | boolean | number)[] }

export type NodeKind = keyof typeof ALLOWED_NODES

export const ALLOWED_NODES = {
  SelectStmt: {
    distinctClause: 'bare or nodes',
    targetList: 'nodes',
    fromClause: 'nodes',
    whereClause: 'node',
    groupClause: 'nodes',
    havingClause: 'node',
    sortClause: 'nodes',
    limitOffset: 'node',
    limitCount: 'node',
    limitOption: { only: ['LIMIT_OPTION_DEFAULT', 'LIMIT_OPTION_COUNT', 'LIMIT_OPTION_WITH_TIES'] },
    windowClause: 'nodes',
    withClause: { struct: 'WithClause' },
    op: 'plain',
    all: 'plain',
    valuesLists: 'nodes',
    larg: { struct: 'SelectStmt' },
    rarg: { struct: 'SelectStmt' },
  },
  WithClause: { ctes: 'nodes', location: 'plain' },
  CommonTableExpr: {
    ctename: 'plain',
    aliascolnames: 'nodes',
    // A hint to the planner, which changes no answer.
    ctematerialized: { only: ['CTEMaterializeDefault', 'CTEMaterializeAlways', 'CTEMaterializeNever'] },
    ctequery: 'node',
    location: 'plain',
  },
  ResTarget: { name: 'plain', val: 'node', location: 'plain' },
  RangeVar: {
    // Tools write it before every name.
    schemaname: { only: ['public'] },
    relname: 'plain',
    inh: { only: [true] },
    relpersistence: { only: ['p'] },
    alias: { struct: 'Alias' },
    location: 'plain',
  },
  RangeSubselect: { lateral: 'plain', subquery: 'node', alias: { struct: 'Alias' } },
  JoinExpr: {
    jointype: { only: ['JOIN_INNER', 'JOIN_LEFT', 'JOIN_RIGHT', 'JOIN_FULL'] },
    larg: 'node',
    rarg: 'node',
    isNatural: 'plain',
    usingClause: 'nodes',
    quals: 'node',
  },
  Alias: { aliasname: 'plain', colnames: 'nodes' },
  SortBy: {
    node: 'node',
    sortby_dir: { only: ['SORTBY_DEFAULT', 'SORTBY_ASC', 'SORTBY_DESC'] },
    sortby_nulls: 'plain',
    location: 'plain',
  },
  ColumnRef: { fields: 'nodes', location: 'plain' },
  A_Star: {},
  String: { sval: 'plain' },
  Integer: { ival: 'plain' },
  Float: { fval: 'plain' },
  Boolean: { boolval: 'plain' },
  A_Const: {
    ival: { struct: 'Integer' },
    fval: { struct: 'Float' },
    boolval: { struct: 'Boolean' },
    sval: { struct: 'String' },
    isnull: 'plain',
    location: 'plain',
  },
  ParamRef: { number: 'plain', location: 'plain' },
  A_Expr: {
    kind: 'plain',
    name: 'nodes',
    lexpr: 'node',
    rexpr: 'node',
    location: 'plain',
    rexpr_list_start: 'plain',
    rexpr_list_end: 'plain',
  },
  List: { items: 'nodes' },
  GroupingSet: { kind: 'plain', content: 'nodes', location: 'plain' },
  GroupingFunc: { args: 'nodes', location: 'plain' },
  RowExpr: { args: 'nodes', row_format: { only: ['COERCE_IMPLICIT_CAST'] }, location: 'plain' },
  A_Indirection: { arg: 'node', indirection: 'nodes' },
  A_Indices: { uidx: 'node' },
  A_ArrayExpr: { elements: 'nodes', list_start: 'plain', list_end: 'plain', location: 'plain' },
  SubLink: {
    subLinkType: 'plain',
    testexpr: 'node',
    operName: 'nodes',
    subselect: 'node',
    location: 'plain',
  },
  BoolExpr: { boolop: 'plain', args: 'nodes', location: 'plain' },
  NullTest: { arg: 'node', nulltesttype: 'plain', location: 'plain' },
  BooleanTest: { arg: 'node', booltesttype: 'plain', location: 'plain' },
  CaseExpr: { arg: 'node', args: 'nodes', defresult: 'node', location: 'plain' },
  CaseWhen: { expr: 'node', result: 'node', location: 'plain' },
  CoalesceExpr: { args: 'nodes', location: 'plain' },
  MinMaxExpr: { op: 'plain', args: 'nodes', location: 'plain' },
  TypeCast: { arg: 'node', typeName: { struct: 'TypeName' }, location: 'plain' },
  TypeName: {
    names: 'nodes',
    typmods: 'nodes',
    typemod: { only: [-1] },
    arrayBounds: 'nodes',
    location: 'plain',
  },
  FuncCall: {
    funcname: 'nodes',
    args: 'nodes',
    agg_filter: 'node',
    agg_star: 'plain',
    agg_distinct: 'plain',
    agg_order: 'nodes',
    agg_within_group: 'plain',
    funcformat: 'plain',
    over: { struct: 'WindowDef' },
    location: 'plain',
  },
  WindowDef: {
    name: 'plain',
    refname: 'plain',
    partitionClause: 'nodes',
    orderClause: 'nodes',
    frameOptions: 'plain',
    startOffset: 'node',
    endOffset: 'node',
    location: 'plain',
  },
} as const satisfies Readonly<
  Record<
    string,
    Readonly<
      Record<
        string,
        | 'plain'
        | 'node'
        | 'nodes'
        | 'bare or nodes'
        | { readonly struct: string }
        | { readonly only: readonly (string | boolean | number)[] }
      >
    >
  >
>

/** What a declined node or field is called in an answer. What is not here is called by its name in the grammar. */
export const REFUSED_NAMES: Readonly<Record<string, string>> = {
  'SelectStmt.intoClause': 'SELECT INTO',
  'SelectStmt.groupDistinct': 'GROUP BY DISTINCT',
  'SelectStmt.lockingClause': 'a locking clause (FOR UPDATE, FOR SHARE)',
  'WithClause.recursive':
    'WITH RECURSIVE; write a series as generate_series(1, 10) in FROM, or values out with VALUES',
  'CommonTableExpr.search_clause': 'SEARCH in a WITH clause',
  'CommonTableExpr.cycle_clause': 'CYCLE in a WITH clause',
  'ResTarget.indirection': 'a part of a column',
  'RangeVar.schemaname': 'a name with a schema other than public; data sets have plain names',
  'RangeVar.catalogname': 'a name with a catalogue; data sets have plain names',
  'RangeVar.inh': 'ONLY',
  'RangeVar.relpersistence': 'a temporary table',
  'JoinExpr.jointype': 'this join',
  'JoinExpr.join_using_alias': 'an alias of a USING clause',
  'JoinExpr.alias': 'an alias of a join',
  'SortBy.sortby_dir': 'ORDER BY … USING',
  'SortBy.useOp': 'ORDER BY … USING',
  'A_Const.bsval': 'a bit string',
  'TypeName.typemod': 'a length or precision of a type',
  'TypeName.setof': 'SETOF',
  'TypeName.pct_type': '%TYPE',
  'FuncCall.func_variadic': 'VARIADIC',
  RangeFunction:
    'a function as a relation (it makes several rows of one, or rows of nobody); ask of lists with = ANY, &&, @> or [n], and write values out with VALUES',
  RangeTableSample:
    'TABLESAMPLE (an equal question must have an equal answer); ask about everybody, or choose by a column',
  RangeTableFunc: 'XMLTABLE',
  JsonTable: 'JSON_TABLE',
  GroupingFunc: 'GROUPING',
  WindowDef: 'a window',
  SQLValueFunction:
    "a value of the moment or the session (CURRENT_DATE and the like): an equal question must mean the same tomorrow; write it out, as in date '2026-01-31'",
  NamedArgExpr: 'a named argument',
  RowExpr: 'a row value',
  A_ArrayExpr: 'an array',
  'RowExpr.row_format': 'a row value',
  GroupingSet: 'GROUPING SETS, ROLLUP and CUBE',
  'A_Indices.is_slice': 'a slice',
  'A_Indices.lidx': 'a slice',
  CollateClause:
    'COLLATE; texts are compared code point by code point, and lower(x) puts both cases together',
  SetToDefault: 'DEFAULT',
  CurrentOfExpr: 'CURRENT OF',
  XmlExpr: 'XML',
  XmlSerialize: 'XML',
  JsonObjectConstructor: 'JSON',
  JsonArrayConstructor: 'JSON',
  JsonObjectAgg: 'JSON',
  JsonArrayAgg: 'JSON',
  JsonFuncExpr: 'JSON',
  JsonIsPredicate: 'JSON',
  JsonParseExpr: 'JSON',
  JsonScalarExpr: 'JSON',
  JsonSerializeExpr: 'JSON',
  MergeSupportFunc: 'MERGE',
}
