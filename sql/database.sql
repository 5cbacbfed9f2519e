-- The database and the account that owns it: runs the migrations, and is what an operator's tools
-- use. Run by the server's owner; @names@ are filled in by the launcher. Harmless again.
CREATE DATABASE IF NOT EXISTS `@database@` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE USER IF NOT EXISTS 'boxoffice_admin'@'%' IDENTIFIED BY '@admin_password@';
ALTER USER 'boxoffice_admin'@'%' IDENTIFIED BY '@admin_password@';
GRANT ALL PRIVILEGES ON `@database@`.* TO 'boxoffice_admin'@'%';
-- To look at server counters and at what waits for what; kills and settings stay the owner's.
GRANT PROCESS ON *.* TO 'boxoffice_admin'@'%';
