/* The list of database servers: what is an entry, and what is none. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "db_hosts.h"

#define PORT 3306

static struct db_hosts hosts;

static void assert_host(size_t i, const char *name, unsigned port)
{
	assert_string_equal(hosts.hosts[i].name, name);
	assert_int_equal(hosts.hosts[i].port, port);
}

static void assert_refused(const char *text)
{
	assert_int_equal(db_hosts_read(&hosts, text, PORT), ERR_CONF);
}

static void one_host_is_a_list_of_one(void **state)
{
	(void)state;
	assert_int_equal(db_hosts_read(&hosts, "127.0.0.1", PORT), ERR_OK);
	assert_int_equal(hosts.count, 1);
	assert_host(0, "127.0.0.1", PORT);
}

static void entries_keep_their_order_and_their_ports(void **state)
{
	(void)state;
	assert_int_equal(db_hosts_read(&hosts, "db1,db2:3307,10.0.0.3:1,db4:65535", PORT), ERR_OK);
	assert_int_equal(hosts.count, 4);
	assert_host(0, "db1", PORT);
	assert_host(1, "db2", 3307);
	assert_host(2, "10.0.0.3", 1);
	assert_host(3, "db4", 65535);
}

static void addresses_of_ipv6_have_colons_of_their_own(void **state)
{
	(void)state;
	assert_int_equal(db_hosts_read(&hosts, "::1,fe80::1:2,[::1],[fe80::1]:3307", PORT), ERR_OK);
	assert_int_equal(hosts.count, 4);
	assert_host(0, "::1", PORT);
	assert_host(1, "fe80::1:2", PORT);
	assert_host(2, "::1", PORT);
	assert_host(3, "fe80::1", 3307);
}

static void a_path_is_a_socket(void **state)
{
	(void)state;
	assert_int_equal(db_hosts_read(&hosts, "/run/a:1.sock,db2", PORT), ERR_OK);
	assert_int_equal(hosts.count, 2);
	assert_host(0, "/run/a:1.sock", 0);
	assert_host(1, "db2", PORT);
	assert_true(db_hosts_have_socket(&hosts));
	assert_int_equal(db_hosts_read(&hosts, "db1,db2", PORT), ERR_OK);
	assert_false(db_hosts_have_socket(&hosts));
}

static void what_is_no_entry_is_refused(void **state)
{
	(void)state;
	assert_refused("");
	assert_refused("db1,");
	assert_refused(",db1");
	assert_refused("db1,,db2");
	assert_refused(":3306");
	assert_refused("[]:3306");
	assert_refused("[::1");
	assert_refused("[::1]3306");
	assert_refused("[::1]:");
}

static void what_is_no_port_is_refused(void **state)
{
	(void)state;
	assert_refused("db1:");
	assert_refused("db1:0");
	assert_refused("db1:65536");
	assert_refused("db1:123456");
	assert_refused("db1:33x6");
	assert_refused("db1:-1");
}

static void a_name_is_taken_up_to_its_size(void **state)
{
	char text[sizeof hosts.hosts[0].name + 1];

	(void)state;
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	assert_refused(text);
	text[sizeof text - 2] = '\0';
	assert_int_equal(db_hosts_read(&hosts, text, PORT), ERR_OK);
	assert_host(0, text, PORT);
}

static void a_list_is_taken_up_to_its_length(void **state)
{
	(void)state;
	assert_int_equal(db_hosts_read(&hosts, "a,b,c,d,e,f,g,h", PORT), ERR_OK);
	assert_int_equal(hosts.count, DB_HOSTS_MAX);
	assert_refused("a,b,c,d,e,f,g,h,i");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_host_is_a_list_of_one),
		cmocka_unit_test(entries_keep_their_order_and_their_ports),
		cmocka_unit_test(addresses_of_ipv6_have_colons_of_their_own),
		cmocka_unit_test(a_path_is_a_socket),
		cmocka_unit_test(what_is_no_entry_is_refused),
		cmocka_unit_test(what_is_no_port_is_refused),
		cmocka_unit_test(a_name_is_taken_up_to_its_size),
		cmocka_unit_test(a_list_is_taken_up_to_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
