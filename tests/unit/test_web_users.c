/* Passwords, the users' file, and the command that changes it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "support/assert.h"
#include "support/folder.h"
#include "web/users.h"

#define GOOD "three random words"

static const char *const roles[] = { "duty", "manager", NULL };
static const struct web_site site = { .name = "Example", .role_words = roles };

static void a_password_is_itself_and_no_other(void **state)
{
	struct password password, again;

	(void)state;
	assert_true(password_set(&password, GOOD, world_real()));
	assert_true(password_is_bounded(&password));
	assert_true(password_is(&password, GOOD));
	assert_false(password_is(&password, "Three random words"));
	assert_false(password_is(&password, ""));
	assert_false(password_is(NULL, GOOD));
	assert_true(password_set(&again, GOOD, world_real()));
	assert_memory_not_equal(password.hash, again.hash, HASH_BYTES); /* salted */
}

/* RFC 7914 has no test of our costs; this one is openssl's, by its command line:
   openssl kdf -keylen 32 -kdfopt pass:"three random words" -kdfopt hexsalt:00..0f
   -kdfopt n:32768 -kdfopt r:8 -kdfopt p:1 SCRYPT */
static void what_is_kept_is_scrypt_as_others_compute_it(void **state)
{
	struct password password = { .log_n = 15, .r = 8, .p = 1 };
	static const uint8_t hash[HASH_BYTES] = {
		0x61, 0x2b, 0xed, 0x39, 0x3b, 0xc6, 0xa9, 0xae, 0x54, 0xdd, 0xc7,
		0xb1, 0x9e, 0x65, 0x68, 0x38, 0xc7, 0x25, 0xf7, 0xa8, 0x0d, 0x2c,
		0xc2, 0x78, 0xd5, 0x59, 0xd9, 0xad, 0x36, 0x60, 0xf4, 0x3b,
	};

	(void)state;
	for (uint8_t i = 0; i < PASSWORD_SALT; i++)
		password.salt[i] = i;
	memcpy(password.hash, hash, HASH_BYTES);
	assert_true(password_is(&password, GOOD));
}

static void passwords_that_everybody_tries_first_are_refused(void **state)
{
	static const char *const bad[] = { "",
		                           "short",
		                           "elevenchars",
		                           "Password1234",
		                           "aaaaaaaaaaaaaa",
		                           "abababababab",
		                           "ann.example-1",
		                           "Ann Example Long",
		                           "tab\tin the password",
		                           "\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6",
		                           "not utf-8 \xff here" };
	char longest[PASSWORD_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (password_fault(bad[i], "ann.example-1", "Ann Example Long") == NULL)
			fail_msg("was taken: %s", bad[i]);
	}
	memset(longest, 'x', sizeof(longest));
	longest[0] = 'a';
	longest[PASSWORD_MAX + 1] = '\0';
	assert_non_null(password_fault(longest, "ann", "Ann"));
	longest[PASSWORD_MAX] = '\0';
	assert_null(password_fault(longest, "ann", "Ann"));
	assert_null(password_fault(GOOD, "ann", "Ann"));
	assert_null(password_fault("\xc3\xb6"
	                           "abcdefgh jk",
	                           "ann", "Ann"));
}

static void add(struct users *users, const char *name, const char *full, unsigned role)
{
	struct user *user = users_add(users);

	assert_non_null(user);
	strcpy(user->who.user, name);
	strcpy(user->who.name, full);
	user->who.role = role;
	user->password = (struct password){
		.log_n = 15, .r = 8, .p = 1, .salt = { 1, 2 }, .hash = { 0xfe, 3 }
	};
}

static void what_is_written_is_read_again(void **state)
{
	struct users users = { 0 }, again;
	struct message message = { "" };
	char path[FOLDER_PATH];
	struct stat info;

	folder_path(*state, "users", path);
	add(&users, "ann.example", "Ann: \"Example\"", 1);
	add(&users, "bob-2",
	    "B\xc3\xb6"
	    "b",
	    2);
	users.list[0].disabled = true;
	users.list[0].unlocks = 4;
	strcpy(users.list[1].feed, "00112233445566778899aabbccddeeff");
	assert_int_equal(users_write(&users, path, roles, world_real(), &message), TTG_OK);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	if (users_read(&again, path, roles, &message) != TTG_OK)
		fail_msg("%s", message.text);
	assert_int_equal(again.n, 2);
	assert_memory_equal(again.list, users.list, 2 * sizeof(*users.list));
	assert_ptr_equal(users_find(&again, "bob-2"), &again.list[1]);
	assert_null(users_find(&again, "bob"));
	assert_false(users_have_changed(&again, path));
	assert_int_equal(users_write(&users, path, roles, world_real(), &message), TTG_OK);
	assert_true(users_have_changed(&again, path));
	unlink(path);
	assert_true(users_have_changed(&again, path));
	users_remove(&again, &again.list[0]);
	assert_int_equal(again.n, 1);
	assert_string_equal(again.list[0].who.user, "bob-2");
	users_fini(&users);
	users_fini(&again);
}

#define SALT "00000000000000000000000000000000"
#define HASH SALT SALT
#define LINE(name, role, state, kind, log_n, feed, full)                                           \
	"ttg-users v1\n" name ":" role ":" state ":" kind ":" log_n ":8:1:" SALT ":" HASH ":" feed \
	":0:" full "\n"

static void a_file_that_is_not_as_it_should_be_is_refused_whole(void **state)
{
	static const char *const bad[] = {
		"",
		"ttg-users v2\n",
		LINE("Ann", "duty", "enabled", "scrypt", "15", "-", "Ann"),
		LINE("", "duty", "enabled", "scrypt", "15", "-", "Ann"),
		LINE("ann", "chief", "enabled", "scrypt", "15", "-", "Ann"),
		LINE("ann", "duty", "maybe", "scrypt", "15", "-", "Ann"),
		LINE("ann", "duty", "enabled", "md5", "15", "-", "Ann"),
		LINE("ann", "duty", "enabled", "scrypt", "10", "-", "Ann"), /* too weak */
		LINE("ann", "duty", "enabled", "scrypt", "30", "-", "Ann"), /* takes for ever */
		LINE("ann", "duty", "enabled", "scrypt", "15", "0011", "Ann"),
		LINE("ann", "duty", "enabled", "scrypt", "15", "-", ""),
		LINE("ann", "duty", "enabled", "scrypt", "15", "-", "\xff"),
		LINE("ann", "duty", "enabled", "scrypt", "15", "-", "Ann") "ann\n",
		LINE("ann", "duty", "enabled", "scrypt", "15", "-",
		     "Ann") "ann:duty:enabled:scrypt:"
		            "15:8:1:" SALT ":" HASH ":-:0:Ann again\n",
	};
	struct message message = { "" };
	struct users users;
	char path[FOLDER_PATH];

	folder_path(*state, "users", path);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		folder_write(*state, "users", bad[i]);
		assert_int_equal(chmod(path, 0600), 0);
		if (users_read(&users, path, roles, &message) != TTG_EFORMAT)
			fail_msg("was taken: %s", bad[i]);
		assert_null(users.list);
		assert_null(strstr(message.text, SALT));
	}
	folder_write(*state, "users",
	             "ttg-users v1\n# a remark\n\nann:duty:enabled:scrypt:15:8:1:" SALT ":" HASH
	             ":-:0:Ann");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(users_read(&users, path, roles, &message), TTG_OK);
	assert_int_equal(users.n, 1);
	users_fini(&users);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(users_read(&users, path, roles, &message), TTG_EPERM);
	unlink(path);
	assert_int_equal(users_read(&users, path, roles, &message), TTG_ENOENT);
}

static void two_cannot_change_the_file_at_once(void **state)
{
	struct message message = { "" };
	char path[FOLDER_PATH];
	int one, other;

	folder_path(*state, "users", path);
	assert_int_equal(users_lock(path, world_real(), &one, &message), TTG_OK);
	assert_int_equal(users_lock(path, world_real(), &other, &message), TTG_ELOCKED);
	users_unlock(world_real(), one);
	assert_int_equal(users_lock(path, world_real(), &other, &message), TTG_OK);
	users_unlock(world_real(), other);
}

/* Runs `desk user ...` with that on standard input, and gives its exit status. Words stand between
   "|"; with one there is a --file. */
static int command(const struct folder *folder, const char *input, const char *words)
{
	char file_option[] = "--file", *argv[16], *rest, text[512], path[FOLDER_PATH],
	     name[FOLDER_PATH];
	int argc = 0, status, stdin_before = dup(STDIN_FILENO), stderr_before = dup(STDERR_FILENO);
	int stdout_before = dup(STDOUT_FILENO);

	folder_write(folder, "input", input);
	folder_path(folder, "input", path);
	snprintf(text, sizeof(text), "user|%s", words);
	for (char *word = strtok_r(text, "|", &rest); word; word = strtok_r(NULL, "|", &rest))
		argv[argc++] = word;
	if (strchr(words, '|') != NULL) {
		folder_path(folder, "users", name);
		argv[argc++] = file_option;
		argv[argc++] = name;
	}
	argv[argc] = NULL;
	assert_true(freopen(path, "r", stdin) != NULL);
	folder_path(folder, "errors", path);
	fflush(stdout);
	int errors = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert_true(errors >= 0);
	dup2(errors, STDERR_FILENO);
	dup2(errors, STDOUT_FILENO);
	status = web_users_main(argc, argv, "desk", &site);
	fflush(stdout);
	dup2(stderr_before, STDERR_FILENO);
	dup2(stdout_before, STDOUT_FILENO);
	dup2(stdin_before, STDIN_FILENO);
	close(stdin_before);
	close(stderr_before);
	close(stdout_before);
	close(errors);
	return status;
}

static void must_say(const struct folder *folder, const char *text)
{
	char path[FOLDER_PATH], said[2048] = "";
	FILE *file;

	folder_path(folder, "errors", path);
	file = fopen(path, "r");
	assert_non_null(file);
	said[fread(said, 1, sizeof(said) - 1, file)] = '\0';
	fclose(file);
	if (strstr(said, text) == NULL)
		fail_msg("\"%s\" is not said, but: %s", text, said);
}

static struct user user_now(const struct folder *folder, const char *name)
{
	struct message message = { "" };
	struct users users;
	struct user user = { 0 };
	char path[FOLDER_PATH];

	folder_path(folder, "users", path);
	if (users_read(&users, path, roles, &message) != TTG_OK)
		fail_msg("%s", message.text);
	if (users_find(&users, name) != NULL)
		user = *users_find(&users, name);
	users_fini(&users);
	return user;
}

static void the_command_makes_changes_and_removes_users(void **state)
{
	struct user user;

	assert_int_equal(command(*state, GOOD "\n", "add|ann|--role|manager|--name|Ann Example"),
	                 0);
	user = user_now(*state, "ann");
	assert_string_equal(user.who.name, "Ann Example");
	assert_int_equal(user.who.role, 2);
	assert_true(password_is(&user.password, GOOD));
	assert_int_equal(command(*state, GOOD "\n", "add|ann|--role|duty|--name|Other"), 1);
	must_say(*state, "is there already");
	assert_int_equal(command(*state, "four other random words", "set-password|ann"), 0);
	user = user_now(*state, "ann");
	assert_true(password_is(&user.password, "four other random words"));
	assert_int_equal(user.unlocks, 1);
	assert_int_equal(command(*state, "", "disable|ann"), 0);
	assert_true(user_now(*state, "ann").disabled);
	assert_int_equal(command(*state, "", "list|"), 0);
	must_say(*state, "manager       disabled  Ann Example");
	assert_int_equal(command(*state, "", "enable|ann"), 0);
	assert_false(user_now(*state, "ann").disabled);
	assert_int_equal(command(*state, "", "unlock|ann"), 0);
	assert_int_equal(user_now(*state, "ann").unlocks, 2);
	assert_int_equal(command(*state, "", "remove|ann"), 0);
	assert_string_equal(user_now(*state, "ann").who.user, "");
	assert_int_equal(command(*state, "", "remove|ann"), 1);
	must_say(*state, "there is no user ann");
}

static void the_command_takes_no_bad_password_name_or_role(void **state)
{
	assert_int_equal(command(*state, "short\n", "add|ann|--role|duty|--name|Ann"), 1);
	must_say(*state, "at least 12 characters");
	assert_int_equal(command(*state, "", "add|ann|--role|duty|--name|Ann"), 1);
	must_say(*state, "no password on standard input");
	assert_int_equal(command(*state, GOOD "\n", "add|Ann|--role|duty|--name|Ann"), 1);
	must_say(*state, "a user name has at most");
	assert_int_equal(command(*state, GOOD "\n", "add|ann|--role|chief|--name|Ann"), 1);
	must_say(*state, "there is no role chief");
	assert_int_equal(command(*state, GOOD "\n", "add|ann|--role|duty"), 2);
	assert_int_equal(command(*state, GOOD "\n", "promote|ann"), 2);
	assert_int_equal(command(*state, GOOD "\n", "add|ann|--role|duty|--password|x"), 2);
	assert_int_equal(command(*state, "", "list"), 2); /* no --file */
	must_say(*state, "Roles: duty manager");
}

static void the_command_leaves_a_file_of_somebody_else_alone(void **state)
{
	char path[FOLDER_PATH];

	if (geteuid() != 0)
		skip(); /* only root can hand a file over */
	assert_int_equal(command(*state, GOOD "\n", "add|ann|--role|duty|--name|Ann"), 0);
	folder_path(*state, "users", path);
	assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
	assert_int_equal(command(*state, "", "disable|ann"), 1);
	must_say(*state, "belongs to another user");
	assert_int_equal(chown(path, 0, (gid_t)-1), 0);
	assert_false(user_now(*state, "ann").disabled);
}

#define USERS_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_is_itself_and_no_other),
		cmocka_unit_test(what_is_kept_is_scrypt_as_others_compute_it),
		cmocka_unit_test(passwords_that_everybody_tries_first_are_refused),
		USERS_TEST(what_is_written_is_read_again),
		USERS_TEST(a_file_that_is_not_as_it_should_be_is_refused_whole),
		USERS_TEST(two_cannot_change_the_file_at_once),
		USERS_TEST(the_command_makes_changes_and_removes_users),
		USERS_TEST(the_command_takes_no_bad_password_name_or_role),
		USERS_TEST(the_command_leaves_a_file_of_somebody_else_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
