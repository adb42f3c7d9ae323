/*
 * Signing in and out, and changing the own password. Wrong name and wrong password take the same
 * time and say the same; what was typed as a name is logged nowhere, since it may have been the
 * password. See sign_in.h.
 */
#include "web/sign_in.h"

#include <stdio.h>
#include <string.h>
#include "base/keyfile.h"
#include "web/page.h"
#include "web/server.h"

#define WRONG    "The user name or the password is wrong"
#define TOO_MANY "Many people are signing in at this moment. Wait a few seconds, then try again."

static void note(const struct web_request *request, enum log_level level, const char *what)
{
	log_write(request->web->options.log, level, "web_sign_in", "what=%s", what);
}

/* As typed, without blanks around it and in small letters. */
static void read_name(const char *typed, char out[WEB_USER_BYTES])
{
	size_t len;

	typed += strspn(typed, " ");
	len = strcspn(typed, " ");
	if (len >= WEB_USER_BYTES)
		len = WEB_USER_BYTES - 1; /* longer than any; counted as its beginning */
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(typed[i] >= 'A' && typed[i] <= 'Z' ? typed[i] | 0x20 : typed[i]);
	out[len] = '\0';
}

static void show_sign_in(const struct web_request *request, struct web_response *response,
                         const char *name, const struct page_errors *errors)
{
	struct html *html = &response->body;
	const char *next = web_field(request, "next");

	page_begin(request, response, "Sign in", "Sign in", errors);
	page_form(html, request, "/sign-in");
	if (request_is_local(next))
		html_add(html, "<input type=\"hidden\" name=\"next\" value=\"%s\">\n", next);
	page_input(html, &(struct page_control){ .name = "user",
	                                         .label = "User name",
	                                         .value = name,
	                                         .errors = errors,
	                                         .width = 20,
	                                         .autocomplete = "username" });
	page_input(html, &(struct page_control){ .name = "password",
	                                         .label = "Password",
	                                         .errors = errors,
	                                         .width = 20,
	                                         .autocomplete = "current-password",
	                                         .type = "password" });
	page_button(html, "Sign in");
	html_raw(html, "</form>\n");
	page_end(request, response);
}

static void go_on(const struct web_request *request, struct web_response *response)
{
	const char *next = web_field(request, "next");

	web_redirect(response, "%s", request_is_local(next) ? next : "/");
}

static void serve_sign_in(void *user, const struct web_request *request,
                          struct web_response *response)
{
	(void)user;
	if (request->user != NULL)
		go_on(request, response);
	else
		show_sign_in(request, response, "", NULL);
}

static void say_locked(struct page_errors *errors, const char *field, unsigned left_s)
{
	page_error_add(
	        errors, field,
	        "Too many wrong passwords: try again in %u minutes, or ask your administrator",
	        (left_s + 59) / 60);
}

/* The password of that name is this? Counts a wrong one, and says so. */
static bool check_password(const struct web_request *request, const char *name,
                           const char *password, struct page_errors *errors, const char *wrong)
{
	struct web *web = request->web;
	const struct user *user = users_find(&web->users, name);
	int64_t now_ns = server_mono_ns(web);

	if (password_is(user == NULL || user->disabled ? NULL : &user->password, password)) {
		lockout_forget(&web->lockout, name);
		return true;
	}
	if (lockout_count(&web->lockout, name, now_ns)) {
		note(request, LOG_LEVEL_WARN, "locked");
		say_locked(errors, "password", lockout_left_s(&web->lockout, name, now_ns));
	} else {
		note(request, LOG_LEVEL_NOTICE, "wrong");
		page_error_add(errors, "password", "%s", wrong);
	}
	return false;
}

/* Before any password is looked at. */
static bool may_try(const struct web_request *request, struct web_response *response,
                    const char *name, struct page_errors *errors)
{
	struct web *web = request->web;
	int64_t now_ns = server_mono_ns(web);
	unsigned left_s = lockout_left_s(&web->lockout, name, now_ns);

	if (left_s > 0) {
		say_locked(errors, "password", left_s);
		return true;
	}
	if (lockout_take_try(&web->lockout, now_ns))
		return true;
	web_refuse(request, response, MHD_HTTP_TOO_MANY_REQUESTS, TOO_MANY);
	return false;
}

static void take_sign_in(void *user, const struct web_request *request,
                         struct web_response *response)
{
	const char *password = web_field(request, "password");
	struct page_errors errors = { 0 };
	char name[WEB_USER_BYTES];

	(void)user;
	read_name(web_field(request, "user"), name);
	if (name[0] == '\0')
		page_error_add(&errors, "user", "Enter your user name");
	if (password[0] == '\0')
		page_error_add(&errors, "password", "Enter your password");
	if (errors.n == 0 && !may_try(request, response, name, &errors))
		return;
	if (errors.n > 0 || !check_password(request, name, password, &errors, WRONG)) {
		show_sign_in(request, response, name, &errors);
		return;
	}
	if (!server_sign_in(request, users_find(&request->web->users, name))) {
		web_refuse(request, response, MHD_HTTP_SERVICE_UNAVAILABLE, "Try again later.");
		return;
	}
	note(request, LOG_LEVEL_INFO, "signed_in");
	go_on(request, response);
}

static void take_sign_out(void *user, const struct web_request *request,
                          struct web_response *response)
{
	(void)user;
	note(request, LOG_LEVEL_INFO, "signed_out");
	server_sign_out(request);
	web_redirect(response, "/sign-in");
}

static void show_password(const struct web_request *request, struct web_response *response,
                          const struct page_errors *errors)
{
	static const struct {
		const char *name, *label, *hint, *autocomplete;
	} controls[] = {
		{ "password", "Current password", "", "current-password" },
		{ "new", "New password", "At least 12 characters. Three random words are good.",
		  "new-password" },
		{ "again", "New password again", "", "new-password" },
	};
	struct html *html = &response->body;

	page_begin(request, response, "Change your password", "Change your password", errors);
	page_form(html, request, "/password");
	/* So that a password manager knows whose it is. */
	html_add(html, "<input type=\"text\" value=\"%s\" autocomplete=\"username\" hidden>\n",
	         request->user->user);
	for (size_t i = 0; i < sizeof(controls) / sizeof(*controls); i++)
		page_input(html, &(struct page_control){ .name = controls[i].name,
		                                         .label = controls[i].label,
		                                         .hint = controls[i].hint,
		                                         .errors = errors,
		                                         .width = 20,
		                                         .autocomplete = controls[i].autocomplete,
		                                         .type = "password" });
	page_button(html, "Change password");
	html_raw(html, "</form>\n");
	page_end(request, response);
}

static void serve_password(void *user, const struct web_request *request,
                           struct web_response *response)
{
	(void)user;
	show_password(request, response, NULL);
}

static bool change_password(void *arg, struct user *user)
{
	const struct password *password = arg;

	user->password = *password;
	return true;
}

static void check_new_password(const struct web_request *request, struct page_errors *errors)
{
	const char *new = web_field(request, "new");
	const char *fault = password_fault(new, request->user->user, request->user->name);

	if (web_field(request, "password")[0] == '\0')
		page_error_add(errors, "password", "Enter your current password");
	if (fault != NULL)
		page_error_add(errors, "new", "%s", fault);
	else if (strcmp(new, web_field(request, "again")) != 0)
		page_error_add(errors, "again", "The new passwords are not the same");
}

static void take_password(void *user, const struct web_request *request,
                          struct web_response *response)
{
	struct web *web = request->web;
	const char *name = request->user->user;
	struct page_errors errors = { 0 };
	struct password password;
	struct user *changed;

	(void)user;
	check_new_password(request, &errors);
	if (errors.n == 0 && !may_try(request, response, name, &errors))
		return;
	if (errors.n > 0 || !check_password(request, name, web_field(request, "password"), &errors,
	                                    "The current password is wrong")) {
		show_password(request, response, &errors);
		return;
	}
	if (!password_set(&password, web_field(request, "new"), web->world) ||
	    server_change_user(web, name, change_password, &password, NULL) != TTG_OK ||
	    (changed = users_find(&web->users, name)) == NULL || !server_sign_in(request, changed))
		web_refuse(request, response, MHD_HTTP_SERVICE_UNAVAILABLE,
		           "The password could not be changed. Try again later.");
	else {
		note(request, LOG_LEVEL_NOTICE, "password_changed");
		web_say(request, "Your password was changed. You were signed out everywhere else.");
		web_redirect(response, "/");
	}
	wipe(&password, sizeof(password));
}

#define EVERYBODY (~WEB_ANYBODY)

const struct web_route sign_in_routes[] = {
	{ .method = "GET", .path = "/sign-in", .roles = WEB_ANYBODY, .serve = serve_sign_in },
	{ .method = "POST", .path = "/sign-in", .roles = WEB_ANYBODY, .serve = take_sign_in },
	{ .method = "POST", .path = "/sign-out", .roles = EVERYBODY, .serve = take_sign_out },
	{ .method = "GET", .path = "/password", .roles = EVERYBODY, .serve = serve_password },
	{ .method = "POST", .path = "/password", .roles = EVERYBODY, .serve = take_password },
};
const size_t sign_in_routes_n = sizeof(sign_in_routes) / sizeof(*sign_in_routes);
