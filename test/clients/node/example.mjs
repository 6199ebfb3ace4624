// node-postgres and a discovery store. The database is that of DATABASE_URL.
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const rows = async (statement, ...values) => (await client.query(statement, values)).rows;
const row = async (statement, ...values) => (await rows(statement, ...values))[0];

// 23505 is unique_violation; the constraint says which.
const violated = async (statement, ...values) => {
  try {
    await client.query(statement, values);
  } catch (error) {
    if (error.code === '23505') return error.constraint;
    throw error;
  }
};

// Notebooks
const { id: notebook, created_by: creator } = await row(
  'INSERT INTO notebooks (name, tags, created_by) VALUES ($1, $2, $3) RETURNING id, created_by',
  'Client', ['reading'], 'anna@example.org');
console.log(`created: Client, by ${creator}`);
const read = await row('SELECT name, tags FROM notebooks WHERE id = $1', notebook);
console.log(`read: ${read.name}, tags ${read.tags.join(', ')}`);
console.log('listed:', (await rows('SELECT id FROM notebooks WHERE tags && $1 ORDER BY name', ['reading'])).length);
console.log('name taken:', await violated('INSERT INTO notebooks (name) VALUES ($1)', 'Client'));
const renamed = await row('UPDATE notebooks SET name = $1, tags = $2 WHERE id = $3 RETURNING name, tags',
  'Client 2', ['hashing', 'reading'], notebook);
console.log(`renamed and retagged: ${renamed.name}, tags ${renamed.tags.join(', ')}`);

// Sources
const insert = `INSERT INTO sources (notebook_id, name, source_type, url, file_path, extracted_text)
                VALUES ($1, $2, 'url', 'https://example.org/', '/files/page.html', 'A page') RETURNING id`;
const { id: page } = await row(insert, notebook, 'page.html');
console.log('added by INSERT: page.html');
console.log('duplicate by INSERT:', await violated(insert, notebook, 'duplicate'));

const addText = `SELECT id, outcome
                 FROM add_source(notebook_id => $1, name => $2, source_type => 'text', extracted_text => $3)`;
const note = await row(addText, notebook, 'note', 'A note');
console.log('add_source:', note.outcome);
const again = await row(addText, notebook, 'note again', 'A note');
const { name } = await row('SELECT name FROM sources WHERE id = $1', again.id);
console.log(`add_source: ${again.outcome}, of ${name}`);

const printCounts = async () => {
  const counts = await row('SELECT source_count, output_count FROM notebooks WHERE id = $1', notebook);
  console.log(`counted: sources ${counts.source_count}, outputs ${counts.output_count}`);
};
await printCounts();
for (const source of await rows(
  'SELECT name FROM live_sources WHERE notebook_id = $1 ORDER BY created_at, id LIMIT 50 OFFSET 0', notebook))
  console.log('page:', source.name);

// Soft delete, restore
const deletion = await row('SELECT deletion_id, deleted FROM delete_sources($1, reason => $2)',
  [note.id], 'not needed');
console.log('deleted:', deletion.deleted);
await printCounts();
for (const restored of await rows(
  `SELECT id FROM restore_sources($1) WHERE outcome = 'restored'`, deletion.deletion_id))
  console.log('restored:', (await row('SELECT name FROM sources WHERE id = $1', restored.id)).name);
await printCounts();

// Outputs
const output = await row(
  'INSERT INTO outputs (notebook_id, title, content) VALUES ($1, $2, $3) RETURNING title, status',
  notebook, 'A summary', 'A page, and a note.');
console.log(`output: ${output.title}, ${output.status}`);
await printCounts();

// The trash: the notebook moves there with its sources and outputs, and comes back as it was
const everything = () => rows(`SELECT notebook::text AS row FROM notebooks AS notebook
                               UNION ALL SELECT source::text FROM sources AS source
                               UNION ALL SELECT output::text FROM outputs AS output ORDER BY 1`);
const notebooksLeft = async () => (await row('SELECT count(*)::int AS left FROM notebooks')).left;
const before = await everything();
const restore = async (id) => {
  const tables = await rows(`SELECT table_name, count(*) FROM restore_deletion($1)
                             GROUP BY table_name ORDER BY table_name`, id);
  console.log('restored:', tables.map((table) => `${table.table_name} ${table.count}`).join(', '));
  await printCounts();
  console.log('same as before:', isDeepStrictEqual(await everything(), before) ? 'yes' : 'no');
};

const trashed = await row('SELECT deletion_id, sources, outputs FROM delete_notebook($1, reason => $2)',
  notebook, 'cleaning up');
console.log(`to the trash: sources ${trashed.sources}, outputs ${trashed.outputs}`);
console.log('notebooks left:', await notebooksLeft());
for (const deleted of await rows('SELECT name, reason FROM deleted_notebooks'))
  console.log(`in the trash: ${deleted.name}, ${deleted.reason}`);
await restore(trashed.deletion_id);

// With this setting, which a role or a database can have, DELETE moves it there, too.
await client.query('SET discovery.keep_deleted = on');
await client.query('DELETE FROM notebooks WHERE id = $1', [notebook]);
await client.query('RESET discovery.keep_deleted');
console.log('notebooks left:', await notebooksLeft());
await restore((await row('SELECT deletion_id FROM deleted_notebooks WHERE id = $1', notebook)).deletion_id);

// Purge: unlink the files only after the commit (here each statement is one), and only if no row uses them any more
await client.query('SELECT delete_source($1)', [page]);
// Sources in the trash still use their files.
const users = `SELECT count(*)::int AS users
               FROM (SELECT file_path FROM sources UNION ALL SELECT file_path FROM discovery_trash) AS used
               WHERE file_path = $1`;
await new Promise((done) => setTimeout(done, 10)); // '0' spares what was deleted in this very millisecond
for (const { file_path: path } of await rows(`SELECT file_path FROM purge_deleted_sources(older_than => '0')`))
  if ((await row(users, path)).users === 0)
    console.log('purged:', path);

await client.query('DELETE FROM notebooks WHERE id = $1', [notebook]);
console.log('notebook deleted, sources left:', (await row('SELECT count(*)::int AS left FROM sources')).left);
await client.end();
