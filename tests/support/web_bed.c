/* See web_bed.h. Test thread only. */
#include "support/web_bed.h"

#include <stdio.h>
#include <string.h>
#include "web/page.h"
#include "web/users.h"

#define NS_PER_S INT64_C(1000000000)

/* Where the functions of the site find the test: one at a time. */
static struct web_bed *bed_now;

static int64_t bed_clock(int64_t now_ns, size_t which)
{
	int64_t *stopped_ns = &bed_now->stopped_ns[which];

	if (!bed_now->stopped || *stopped_ns == 0)
		*stopped_ns = now_ns;
	return *stopped_ns + bed_now->ahead_ns;
}

static int64_t bed_mono_ns(void *self)
{
	return bed_clock(world_real()->mono_ns(self), 0);
}

static int64_t bed_real_ns(void *self)
{
	return bed_clock(world_real()->real_ns(self), 1);
}

static void bed_note(void *user, const struct web_request *request, struct web_response *response)
{
	struct web_bed *bed = user;

	page_begin(request, response, "Note", "The note", NULL);
	html_add(&response->body, "<p class=\"govuk-body\">%s</p>\n", bed->note);
	html_add(&response->body, "<p>part=%s q=%s by=%s</p>\n", request->parts[0],
	         web_field(request, "q"), request->user->user);
	page_form(&response->body, request, "/note");
	page_textarea(&response->body, &(struct page_control){ .name = "note", .label = "Note" },
	              3);
	page_button(&response->body, "Save");
	html_raw(&response->body, "</form>\n");
	page_end(request, response);
}

static void bed_take_note(void *user, const struct web_request *request,
                          struct web_response *response)
{
	struct web_bed *bed = user;

	snprintf(bed->note, sizeof(bed->note), "%s", web_field(request, "note"));
	web_say(request, "The note was <saved>.");
	web_redirect(response, "/note");
}

static void bed_export(void *user, const struct web_request *request, struct web_response *response)
{
	(void)user;
	(void)request;
	response->type = "text/csv; charset=utf-8";
	response->save_as = "notes.csv";
	html_csv(&response->body, "=1+1");
}

static void bed_feed(void *user, const struct web_request *request, struct web_response *response)
{
	const struct web_user *whose = web_feed_user(request, request->parts[0]);

	(void)user;
	response->type = "text/calendar";
	if (whose == NULL)
		web_refuse(request, response, 404, "No such feed.");
	else
		html_add(&response->body, "feed of %s", whose->user);
}

static void bed_token(void *user, const struct web_request *request, struct web_response *response)
{
	char token[33];

	(void)user;
	web_feed_token(request, web_field(request, "anew")[0] != '\0', token);
	html_add(&response->body, "%s", token);
}

static void bed_stream(void *user, const struct web_request *request, uint64_t *cursor,
                       struct html *out)
{
	struct web_bed *bed = user;

	(void)request;
	bed->asked++;
	if (*cursor == UINT64_MAX)
		*cursor = bed->newest;
	for (int i = 0; *cursor < bed->newest && i < 1000; i++) {
		++*cursor;
		html_add(out, "id: %llu\nevent: line\ndata: number %llu\n\n",
		         (unsigned long long)*cursor, (unsigned long long)*cursor);
	}
	if (bed->standing)
		html_raw(out, "event: standing\ndata: all is well\n\n");
}

static unsigned bed_waiting(void *user, const struct web_request *request)
{
	(void)request;
	return ((struct web_bed *)user)->waiting;
}

const struct web_site *bed_site(struct web_bed *bed)
{
	static const char *const roles[] = { "duty", "manager", NULL };
	static const struct web_route routes[] = {
		{ .method = "GET", .path = "/note", .roles = DUTY | MANAGER, .serve = bed_note },
		{ .method = "GET", .path = "/note/:", .roles = DUTY, .serve = bed_note },
		{ .method = "POST", .path = "/note", .roles = DUTY, .serve = bed_take_note },
		{ .method = "GET", .path = "/export", .roles = MANAGER, .serve = bed_export },
		{ .method = "GET", .path = "/token", .roles = DUTY, .serve = bed_token },
		{ .method = "GET", .path = "/feed/:", .roles = WEB_ANYBODY, .serve = bed_feed },
		{ .method = "GET", .path = "/lines", .roles = DUTY, .stream = bed_stream },
	};
	static const struct web_link menu[] = {
		{ .path = "/export", .label = "Export", .roles = MANAGER },
		{ .path = "/note", .label = "Note", .roles = DUTY, .count = bed_waiting },
	};
	static struct web_site site;

	site = (struct web_site){ .name = "Example site",
		                  .role_words = roles,
		                  .routes = routes,
		                  .n_routes = sizeof(routes) / sizeof(*routes),
		                  .menu = menu,
		                  .n_menu = sizeof(menu) / sizeof(*menu),
		                  .user = bed };
	return &site;
}

/* What `user add` makes, without the time that scrypt takes: all have PASSWORD. */
static void bed_write_users(struct web_bed *bed)
{
	static struct password password;
	static const char *const names[][3] = {
		{ "ann", "duty", "Ann Example" }, { "bob", "manager", "Bob O'Hare" },
		{ "cyd", "duty", "Cyd Gone" },    { "dot", "duty", "Dot" },
		{ "eve", "duty", "Eve" },         { "fay", "duty", "Fay" }
	};
	struct message message = { "" };
	struct users users = { 0 };

	if (password.r == 0)
		assert_true(password_set(&password, PASSWORD, world_real()));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct user *user = users_add(&users);

		assert_non_null(user);
		strcpy(user->who.user, names[i][0]);
		strcpy(user->who.name, names[i][2]);
		user->who.role = strcmp(names[i][1], "duty") == 0 ? DUTY : MANAGER;
		user->disabled = strcmp(names[i][0], "cyd") == 0;
		user->password = password;
	}
	assert_int_equal(users_write(&users, bed->users_file, bed_site(bed)->role_words,
	                             world_real(), &message),
	                 TTG_OK);
	users_fini(&users);
}

/* Options for plain HTTP; the test may change them before bed_open(). */
void bed_prepare(struct web_bed *bed, void **state)
{
	*bed = (struct web_bed){ .folder = *state, .world = *world_real(), .note = "none" };
	bed_now = bed;
	bed->world.mono_ns = bed_mono_ns;
	bed->world.real_ns = bed_real_ns;
	folder_path(bed->folder, "users", bed->users_file);
	bed_write_users(bed);
	bed->options = (struct web_options){ .listen = "127.0.0.1",
		                             .users_file = bed->users_file,
		                             .session_minutes = 30,
		                             .world = &bed->world };
}

void bed_open(struct web_bed *bed, const char *ca)
{
	struct message message = { "" };

	if (web_open(&bed->web, &bed->options, bed_site(bed), &message) != TTG_OK)
		fail_msg("%s", message.text);
	bed->browser = browser_open(bed->web, web_port(bed->web), ca);
}

void bed_begin(struct web_bed *bed, void **state)
{
	bed_prepare(bed, state);
	bed_open(bed, NULL);
}

void bed_end(struct web_bed *bed)
{
	browser_close(&bed->browser);
	web_close(&bed->web);
}

void bed_pass(struct web_bed *bed, int64_t seconds)
{
	bed->ahead_ns += seconds * NS_PER_S;
}

void bed_user_command(struct web_bed *bed, const char *verb, const char *name)
{
	char words[5][FOLDER_PATH] = { "user", "", "", "--file", "" };
	char *argv[6] = { words[0], words[1], words[2], words[3], words[4], NULL };

	snprintf(words[1], FOLDER_PATH, "%s", verb);
	snprintf(words[2], FOLDER_PATH, "%s", name);
	snprintf(words[4], FOLDER_PATH, "%s", bed->users_file);
	must_be(web_users_main(5, argv, "desk", bed_site(bed)) == 0, "the command failed");
}
