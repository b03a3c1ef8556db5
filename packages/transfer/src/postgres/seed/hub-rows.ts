import { literal } from "../expressions.ts";

/** How many rows of each kind a seeded hub has, hard cases aside. */
export interface HubScale {
  readonly accounts: number;
  readonly organizations: number;
  readonly graphs: number;
  readonly nodes: number;
  readonly edges: number;
  readonly sessions: number;
  readonly calls: number;
  readonly auditLogs: number;
}

/** 2026-01-01, in microseconds. Rows are spread over the year before. */
const EPOCH = "timestamptz '2026-01-01 00:00:00.123456+00'";

/**
 * The statements that fill the tables: every value is computed from the seed and the number of the row,
 * so that two hubs of one seed and scale are equal.
 */
export function hubRows(seed: string, scale: HubScale): readonly string[] {
  const { accounts, organizations, graphs } = scale;
  const id = (kind: string, number: string): string =>
    `md5(${literal(`${seed}:${kind}:`)} || (${number})::text)::uuid`;
  const common = (kind: string, number = "i"): string =>
    `${id(kind, number)}, '{}'::jsonb, ${EPOCH} - (${number} % 500000) * interval '61.000001 seconds',
     ${EPOCH} - (${number} % 400000) * interval '7.5 seconds'`;
  const series = (count: number): string => `FROM generate_series(1, ${count}) i`;
  const account = (number: string): string => id("account", `1 + (${number}) % ${accounts}`);
  const org = (number: string): string => id("org", `1 + (${number}) % ${organizations}`);
  const graph = (number: string): string => id("graph", `1 + (${number}) % ${graphs}`);
  // nodes of a graph are numbered, so that edges can name two of them
  const perGraph = Math.max(1, Math.floor(scale.nodes / graphs));
  const nodeKey = (number: string): string => `'node-' || ((${number}) % ${perGraph})`;
  return [
    `INSERT INTO accounts SELECT ${common("account")}, 'user' || i || '@example.org',
       CASE WHEN i % 3 = 0 THEN NULL ELSE 'Name ' || i || ' 🙂' END,
       (ARRAY['user', 'user', 'service', 'admin'])[1 + i % 4]::access_level,
       (ARRAY['active', 'active', 'active', 'suspended'])[1 + i % 4]::account_status,
       CASE WHEN i % 10 = 0 THEN jsonb_build_object('gitea', i) END ${series(accounts)}`,
    `INSERT INTO organizations SELECT ${common("org")}, 'Organization ' || i, 'org-' || i,
       ${account("i")} ${series(organizations)}`,
    `INSERT INTO organization_members SELECT ${common("owner")}, ${id("org", "i")}, ${account("i")},
       'owner' ${series(organizations)}`,
    `INSERT INTO organization_members SELECT ${common("member")}, ${org("i")}, ${id("account", "i")},
       (ARRAY['member', 'member', 'admin'])[1 + i % 3]::membership_level
       ${series(accounts)} ON CONFLICT DO NOTHING`,
    `INSERT INTO api_keys SELECT ${common("key")}, ${id("account", "i")}, sha256(('key' || i)::bytea),
       CASE WHEN i % 2 = 0 THEN 'key ' || i END, i % 7 <> 0,
       CASE WHEN i % 5 = 0 THEN ${EPOCH} + interval '1 year' END, NULL,
       CASE WHEN i % 11 = 0 THEN ${id("key", `1 + (i * 7) % ${accounts}`)} END,
       CASE WHEN i % 3 = 0 THEN ${EPOCH} END ${series(accounts)}`,
    `INSERT INTO audit_logs SELECT ${common("audit")}, 'call.' || (i % 40), ${account("i")},
       CASE WHEN i % 2 = 0 THEN ${id("key", `1 + i % ${accounts}`)} END,
       CASE WHEN i % 2 = 0 THEN 'api_key' END, CASE WHEN i % 9 <> 0 THEN ${org("i")} END,
       jsonb_build_object('ip', '10.0.' || (i / 250 % 250) || '.' || (i % 250), 'ok', i % 6 <> 0)
       ${series(scale.auditLogs)}`,
    `INSERT INTO roles SELECT ${common("role")}, 'role-' || i, 'What role ' || i || ' may do', 'primary',
       0.7000000001 * i, jsonb_build_array(jsonb_build_object('action', 'allow', 'permission', 'read',
       'pattern', '*')), ARRAY['read', NULL, 'bash'] ${series(3)}`,
    `INSERT INTO projects SELECT ${common("project")}, ${org("i")}, 'Project ' || i
       ${series(organizations * 2)}`,
    `INSERT INTO sessions SELECT ${common("session")}, ${id("project", `1 + i % ${organizations * 2}`)},
       ${account("i")}, 'Session ' || i, ARRAY['a', NULL, 'tag ' || i], 9007199254740993 + i,
       12345678901234567890.0123456789 + i, i / 7.0, decode(md5(i::text), 'hex'), ${EPOCH},
       CASE WHEN i % 50 = 0 THEN 'infinity'::timestamptz ELSE ${EPOCH} END,
       ('{"text": "a\\u0000b", "n": ' || i || '}')::json ${series(scale.sessions)}`,
    graphTypes(id),
    `INSERT INTO graphs SELECT ${common("graph")},
       CASE WHEN i % 10 = 0 THEN ${id("graph-type", "1")} ELSE ${id("graph-type", "2")} END,
       'Graph ' || i, '', (ARRAY['draft', 'active', 'archived'])[1 + i % 3]::graph_status, ${account("i")},
       ${id("project", `1 + i % ${organizations * 2}`)} ${series(graphs)}`,
    `INSERT INTO nodes SELECT ${common("node")}, ${graph(`i / ${perGraph}`)}, ${nodeKey("i")},
       jsonb_build_object('title', 'Task ' || i, 'points', i % 13, 'done', i % 2 = 0,
         'tags', jsonb_build_array('x', i % 7)) ${series(scale.nodes)} ON CONFLICT DO NOTHING`,
    `INSERT INTO edges SELECT ${common("edge")}, ${graph(`i % ${graphs}`)},
       CASE WHEN i % 2 = 0 THEN 'edge-' || i END, ${nodeKey("i")}, ${nodeKey("i * 3 + 1")},
       jsonb_build_object('weight', (i % 100) / 8.0), i % 20 = 0 ${series(scale.edges)}`,
    `INSERT INTO call_graph_nodes SELECT ${common("call")}, 'req-' || i, 'math.add', 'completed',
       CASE WHEN i % 4 <> 0 THEN 'req-' || (i - i % 4) END, ${account("i - i % 4")},
       CASE WHEN i % 100 >= 4 THEN ${id("project", `1 + (i / 4) % ${organizations * 2}`)} END,
       jsonb_build_object('id', ${account("i")}, 'scopes', jsonb_build_array('math:read')),
       jsonb_build_object('a', i), to_jsonb(i), NULL, ${EPOCH}, ${EPOCH} + interval '12 ms'
       ${series(scale.calls)}`,
    `INSERT INTO call_graph_edges SELECT ${common("call-edge")}, 'req-' || (i - i % 4), 'req-' || i,
       'triggered' ${series(scale.calls)} WHERE i % 4 <> 0 AND i >= 4`,
  ];
}

function graphTypes(id: (kind: string, number: string) => string): string {
  const row = (kind: string, number: string): string =>
    `${id(kind, number)}, '{}'::jsonb, ${EPOCH}, ${EPOCH}`;
  return `
    INSERT INTO graph_types VALUES
      (${row("graph-type", "1")}, 'call_graph', 'Calls', '{"type": "directed"}', 1, 'system'),
      (${row("graph-type", "2")}, 'task_graph', 'Tasks', '{"type": "directed", "multi": true, "allowSelfLoops": true}', 1, 'tenant');
    INSERT INTO node_types VALUES
      (${row("node-type", "1")}, ${id("graph-type", "1")}, 'call', '', '{"type": "object"}'),
      (${row("node-type", "2")}, ${id("graph-type", "2")}, 'task', '', '{"type": "object"}');
    INSERT INTO edge_types VALUES
      (${row("edge-type", "1")}, ${id("graph-type", "1")}, 'triggered', '', '{"type": "object"}', '[]', '[]'),
      (${row("edge-type", "2")}, ${id("graph-type", "2")}, 'needs', '', '{"type": "object"}', '["task"]', '["task"]')`;
}
