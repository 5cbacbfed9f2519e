-- What fronts, workers and operators may do. Run after the migrations, since a table has to be there to be
-- granted; @names@ are filled in by the launcher. Harmless again, and a new password takes effect.

-- A front cannot write: every change is a job.
CREATE USER IF NOT EXISTS 'boxoffice_front'@'%' IDENTIFIED BY '@front_password@';
ALTER USER 'boxoffice_front'@'%' IDENTIFIED BY '@front_password@';
GRANT SELECT ON `@database@`.user TO 'boxoffice_front'@'%';
GRANT SELECT ON `@database@`.cash TO 'boxoffice_front'@'%';
-- A fan is told what moved the money.
GRANT SELECT ON `@database@`.cash_history TO 'boxoffice_front'@'%';
GRANT SELECT ON `@database@`.waiting_queue TO 'boxoffice_front'@'%';
GRANT SELECT ON `@database@`.concert TO 'boxoffice_front'@'%';
GRANT SELECT ON `@database@`.concert_schedule TO 'boxoffice_front'@'%';
GRANT SELECT ON `@database@`.seat TO 'boxoffice_front'@'%';
GRANT SELECT ON `@database@`.seat_reservation TO 'boxoffice_front'@'%';
GRANT SELECT ON `@database@`.payment TO 'boxoffice_front'@'%';
GRANT SELECT ON `@database@`.job TO 'boxoffice_front'@'%';
GRANT SELECT ON `@database@`.gate_state TO 'boxoffice_front'@'%';
GRANT SELECT ON `@database@`.gate_policy TO 'boxoffice_front'@'%';
-- A draw's secret is the gate's alone until it is revealed.
GRANT SELECT (id, state, opens_at, zone, public_name, public_value, commitment, first_ticket,
    last_ticket, roster, seed, revealed, updated_at, live) ON `@database@`.gate_draw TO 'boxoffice_front'@'%';

-- A worker reads the catalogue, writes what its jobs change, and deletes nothing but old jobs. The
-- ledger and the policies are only ever added to, and so are payments, but for a refund.
CREATE USER IF NOT EXISTS 'boxoffice_worker'@'%' IDENTIFIED BY '@worker_password@';
ALTER USER 'boxoffice_worker'@'%' IDENTIFIED BY '@worker_password@';
GRANT SELECT ON `@database@`.concert TO 'boxoffice_worker'@'%';
GRANT SELECT ON `@database@`.concert_schedule TO 'boxoffice_worker'@'%';
-- MySQL lets nobody lock a row (FOR UPDATE) who may not change it somehow; MariaDB does.
GRANT SELECT, UPDATE (updated_at) ON `@database@`.seat TO 'boxoffice_worker'@'%';
GRANT SELECT, INSERT ON `@database@`.user TO 'boxoffice_worker'@'%';
GRANT SELECT, INSERT, UPDATE ON `@database@`.cash TO 'boxoffice_worker'@'%';
GRANT SELECT, INSERT ON `@database@`.cash_history TO 'boxoffice_worker'@'%';
GRANT SELECT, INSERT, UPDATE ON `@database@`.waiting_queue TO 'boxoffice_worker'@'%';
GRANT SELECT, INSERT, UPDATE ON `@database@`.seat_reservation TO 'boxoffice_worker'@'%';
GRANT SELECT, INSERT, UPDATE (status, refund_job_id, updated_at) ON `@database@`.payment TO 'boxoffice_worker'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `@database@`.job TO 'boxoffice_worker'@'%';
GRANT SELECT, UPDATE ON `@database@`.gate_state TO 'boxoffice_worker'@'%';
GRANT SELECT, INSERT ON `@database@`.gate_policy TO 'boxoffice_worker'@'%';
GRANT SELECT, UPDATE ON `@database@`.gate_draw TO 'boxoffice_worker'@'%';

-- boxofficectl looks at what happened, and adds policies; it deletes nothing. It sees no names.
CREATE USER IF NOT EXISTS 'boxoffice_operator'@'%' IDENTIFIED BY '@operator_password@';
ALTER USER 'boxoffice_operator'@'%' IDENTIFIED BY '@operator_password@';
GRANT SELECT ON `@database@`.schema_migration TO 'boxoffice_operator'@'%';
GRANT SELECT ON `@database@`.waiting_queue TO 'boxoffice_operator'@'%';
GRANT SELECT ON `@database@`.gate_state TO 'boxoffice_operator'@'%';
GRANT SELECT, INSERT ON `@database@`.gate_policy TO 'boxoffice_operator'@'%';
-- Who plans a draw hands in a secret that nobody can read again before it is revealed. The roster names
-- users by a digest, which the command makes of what it reads.
GRANT INSERT ON `@database@`.gate_draw TO 'boxoffice_operator'@'%';
GRANT SELECT (id, state, opens_at, zone, public_name, public_value, commitment, first_ticket,
    last_ticket, roster, seed, revealed, changed_by, created_at, updated_at, live),
    UPDATE (opens_at, zone, public_value, changed_by, updated_at)
    ON `@database@`.gate_draw TO 'boxoffice_operator'@'%';
GRANT SELECT (id, uuid, job_id, created_at, deleted_at) ON `@database@`.user TO 'boxoffice_operator'@'%';
GRANT SELECT ON `@database@`.cash TO 'boxoffice_operator'@'%';
GRANT SELECT ON `@database@`.cash_history TO 'boxoffice_operator'@'%';
-- The catalogue is added to; seats get another price, or go off sale. Each change is on the record.
GRANT SELECT, INSERT ON `@database@`.concert TO 'boxoffice_operator'@'%';
GRANT SELECT, INSERT, UPDATE (total_seats, updated_at)
    ON `@database@`.concert_schedule TO 'boxoffice_operator'@'%';
GRANT SELECT, INSERT, UPDATE (price, is_active, updated_at) ON `@database@`.seat TO 'boxoffice_operator'@'%';
GRANT SELECT, INSERT ON `@database@`.catalogue_change TO 'boxoffice_operator'@'%';
GRANT SELECT ON `@database@`.seat_reservation TO 'boxoffice_operator'@'%';
GRANT SELECT ON `@database@`.payment TO 'boxoffice_operator'@'%';
GRANT SELECT ON `@database@`.job TO 'boxoffice_operator'@'%';
