-- The account by which a second database server follows the first one. Run by the server's owner, on the primary;
-- @replica_password@ is filled in by the launcher. Harmless again.
CREATE USER IF NOT EXISTS 'boxoffice_replica'@'%' IDENTIFIED BY '@replica_password@';
ALTER USER 'boxoffice_replica'@'%' IDENTIFIED BY '@replica_password@';
GRANT REPLICATION SLAVE ON *.* TO 'boxoffice_replica'@'%';
