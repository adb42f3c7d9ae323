/*
 * Which page a whole request is for, who may see it, and what it may do. In this order: files for
 * browsers, the route, the session, where a form comes from, its token, the role. See server.h.
 */
#include "web/server.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "common/http_secret.h"
#include "web/page.h"
#include "web/sign_in.h"

/* Where the site's first page that this user may see is. */
static void serve_front(void *user, const struct web_request *request,
                        struct web_response *response)
{
	const struct web_site *site = user;

	for (size_t i = 0; i < site->n_menu; i++) {
		if ((site->menu[i].roles & request->user->role) != 0 &&
		    strcmp(site->menu[i].path, "/") != 0) {
			web_redirect(response, "%s", site->menu[i].path);
			return;
		}
	}
	web_refuse(request, response, MHD_HTTP_FORBIDDEN, "There is no page here for your role.");
}

static const struct web_route front = {
	.method = "GET", .path = "/", .roles = ~0u, .serve = serve_front
};

static const struct web_route *find_in(struct exchange *exchange, const struct web_route *routes,
                                       size_t n, bool *other_method)
{
	for (size_t i = 0; i < n; i++) {
		if (!request_fits(&exchange->parsed, routes[i].path, exchange->request.parts))
			continue;
		if (strcmp(routes[i].method, exchange->request.method) == 0)
			return &routes[i];
		*other_method = true;
	}
	return NULL;
}

/* The site's own routes first, then those that every site has. */
static const struct web_route *find_route(struct exchange *exchange, bool *is_own,
                                          bool *other_method)
{
	const struct web_site *site = exchange->web->site;
	const struct web_route *route =
	        find_in(exchange, site->routes, site->n_routes, other_method);

	*is_own = route != NULL;
	if (route == NULL)
		route = find_in(exchange, sign_in_routes, sign_in_routes_n, other_method);
	return route != NULL ? route : find_in(exchange, &front, 1, other_method);
}

static void set_form_token(struct exchange *exchange)
{
	web_session_form_token(&exchange->web->sessions, exchange->id, exchange->form_token);
}

static void put_user(struct exchange *exchange)
{
	exchange->user = exchange->session->user;
	exchange->request.user = &exchange->user;
	memcpy(exchange->session_key, exchange->session->key, HASH_BYTES);
	memcpy(exchange->said, exchange->session->said, SESSION_SAID_MAX);
}

/* Who it is. False: no random bytes for a new visitor. */
static bool find_session(struct exchange *exchange)
{
	struct web *web = exchange->web;

	if (!request_cookie(server_header(exchange, MHD_HTTP_HEADER_COOKIE), web->cookie,
	                    exchange->id, SESSION_ID_BYTES - 1) ||
	    !web_session_is_id(exchange->id)) {
		exchange->id_is_new = true;
		if (!web_session_new_id(&web->sessions, exchange->id))
			return false;
	}
	set_form_token(exchange);
	exchange->session = web_session_find(&web->sessions, exchange->id, server_mono_ns(web));
	if (exchange->session != NULL)
		put_user(exchange);
	return true;
}

bool server_sign_in(const struct web_request *request, const struct user *user)
{
	struct web *web = request->web;
	struct exchange *exchange = web->serving;

	if (exchange->session != NULL)
		web_session_close(exchange->session);
	exchange->session = NULL;
	if (!web_session_new_id(&web->sessions, exchange->id))
		return false;
	exchange->id_is_new = true;
	set_form_token(exchange);
	exchange->session = web_session_open(&web->sessions, exchange->id, &user->who,
	                                     user->password.hash, server_mono_ns(web));
	if (exchange->session == NULL)
		return false;
	put_user(exchange);
	server_streams_resume(web);
	return true;
}

void server_sign_out(const struct web_request *request)
{
	struct web *web = request->web;
	struct exchange *exchange = web->serving;

	if (exchange->session != NULL)
		web_session_close(exchange->session);
	exchange->session = NULL;
	exchange->request.user = NULL;
	exchange->id_is_new = web_session_new_id(&web->sessions, exchange->id);
	if (exchange->id_is_new)
		set_form_token(exchange);
	server_streams_resume(web);
}

void web_say(const struct web_request *request, const char *text)
{
	const struct exchange *exchange = request->web->serving;

	if (exchange->session != NULL)
		snprintf(exchange->session->said, SESSION_SAID_MAX, "%s", text);
}

void server_said(const struct web_request *request)
{
	const struct exchange *exchange = request->web->serving;

	if (exchange->session != NULL && strcmp(exchange->session->said, exchange->said) == 0)
		exchange->session->said[0] = '\0';
}

const char *web_field(const struct web_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_fields; i++) {
		if (strcmp(request->fields[i].name, name) == 0)
			return request->fields[i].value;
	}
	return "";
}

void web_redirect(struct web_response *response, const char *format, ...)
{
	va_list values;
	int len;

	va_start(values, format);
	len = vsnprintf(response->location, sizeof(response->location), format, values);
	va_end(values);
	response->status = MHD_HTTP_SEE_OTHER;
	/* What does not fit, or leads elsewhere, is no link of ours. */
	if (len < 0 || (size_t)len >= sizeof(response->location) ||
	    !request_is_local(response->location))
		strcpy(response->location, "/");
}

void web_refuse(const struct web_request *request, struct web_response *response, unsigned status,
                const char *text)
{
	static const struct {
		unsigned status;
		const char *title;
	} titles[] = {
		{ MHD_HTTP_BAD_REQUEST, "There is a problem with what was sent" },
		{ MHD_HTTP_FORBIDDEN, "You cannot do this" },
		{ MHD_HTTP_NOT_FOUND, "Page not found" },
		{ MHD_HTTP_METHOD_NOT_ALLOWED, "This page does not work that way" },
		{ MHD_HTTP_CONFLICT, "Somebody else was quicker" },
		{ MHD_HTTP_TOO_MANY_REQUESTS, "Too many at once" },
		{ MHD_HTTP_SERVICE_UNAVAILABLE, "Not available at the moment" },
	};
	const char *title = "Sorry, there is a problem";

	for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++) {
		if (titles[i].status == status)
			title = titles[i].title;
	}
	server_log_refusal(request->web, status, "page");
	html_fini(&response->body);
	response->status = status;
	page_begin(request, response, title, title, NULL);
	html_add(&response->body, "<p class=\"govuk-body\">%s</p>\n", text);
	page_end(request, response);
}

static void send_to_sign_in(struct exchange *exchange, struct web_response *response)
{
	struct html next = { 0 };

	if (!exchange->post)
		html_url(&next, exchange->sent);
	if (next.failed || next.len == 0 || strcmp(exchange->sent, "/") == 0)
		web_redirect(response, "/sign-in");
	else
		web_redirect(response, "/sign-in?next=%s", next.bytes);
	if (strcmp(response->location, "/") == 0) /* too long to be kept */
		web_redirect(response, "/sign-in");
	html_fini(&next);
}

/* A form of ours, sent by a page of ours? NULL: yes. */
static const char *form_fault(const struct exchange *exchange)
{
	if (request_is_foreign(server_header(exchange, "Sec-Fetch-Site"),
	                       server_header(exchange, "Origin"),
	                       server_header(exchange, MHD_HTTP_HEADER_HOST)))
		return "Another site sent this form.";
	if (!http_secret_equal(web_field(&exchange->request, "form_token"), exchange->form_token))
		return "This form is too old: go back, load the page again, and send it again.";
	return NULL;
}

static void begin_request(struct exchange *exchange)
{
	struct request_fields *fields = exchange->post ? &exchange->form : &exchange->parsed.query;
	size_t len = strcspn(exchange->sent, "?");

	memcpy(exchange->path, exchange->sent, len); /* REQUEST_TARGET_MAX was asked */
	exchange->path[len] = '\0';
	exchange->request = (struct web_request){
		.method = exchange->post ? "POST" : "GET",
		.path = exchange->path,
		.parts = { "", "", "" },
		.fields = fields->list,
		.n_fields = fields->n,
		.form_token = exchange->form_token,
		.said = exchange->said,
		.now_ns = exchange->web->world->real_ns(exchange->web->world->self),
		.web = exchange->web,
	};
}

/* Fills the response, or gives a stream to be opened. */
static const struct web_route *write_page(struct exchange *exchange, struct web_response *response)
{
	const struct web_site *site = exchange->web->site;
	struct web_request *request = &exchange->request;
	bool is_own, other_method = false;
	const struct web_route *route = find_route(exchange, &is_own, &other_method);
	const char *fault = exchange->post ? form_fault(exchange) : NULL;

	if (route == NULL && request->user == NULL)
		send_to_sign_in(exchange, response);
	else if (route == NULL && other_method)
		web_refuse(request, response, MHD_HTTP_METHOD_NOT_ALLOWED,
		           "The address was used in a way it is not made for.");
	else if (route == NULL)
		web_refuse(request, response, MHD_HTTP_NOT_FOUND,
		           "If you typed the address, check that it is right.");
	else if (route->roles != WEB_ANYBODY && request->user == NULL && route->stream == NULL)
		send_to_sign_in(exchange, response);
	else if (route->roles != WEB_ANYBODY && request->user == NULL)
		response->status = MHD_HTTP_UNAUTHORIZED;
	else if (fault != NULL)
		web_refuse(request, response, MHD_HTTP_FORBIDDEN, fault);
	else if (route->roles != WEB_ANYBODY && (route->roles & request->user->role) == 0)
		web_refuse(request, response, MHD_HTTP_FORBIDDEN,
		           "Your role does not see this page. Ask your manager if it should.");
	else if (route->stream != NULL)
		return route;
	else
		route->serve(is_own ? site->user : (void *)(uintptr_t)site, request, response);
	return NULL;
}

enum MHD_Result server_serve(struct exchange *exchange)
{
	struct web *web = exchange->web;
	struct web_response response = { .status = MHD_HTTP_OK,
		                         .type = "text/html; charset=utf-8" };
	const struct web_asset *asset;
	const struct web_route *stream;

	begin_request(exchange);
	asset = asset_at(exchange->path);
	if (asset != NULL && !exchange->post)
		return server_answer_asset(exchange, asset);
	server_look_at_users(web);
	if (!find_session(exchange))
		return server_answer_plain(exchange, MHD_HTTP_SERVICE_UNAVAILABLE);
	web->serving = exchange;
	stream = write_page(exchange, &response);
	if (exchange->session != NULL && stream == NULL)
		exchange->session->seen_ns = server_mono_ns(web);
	exchange->session = NULL;
	web->serving = NULL;
	if (stream != NULL && !exchange->head)
		return server_stream(exchange, stream);
	if (stream != NULL) /* the library would send the body of one all the same */
		response.type = "text/event-stream";
	if (response.status == MHD_HTTP_UNAUTHORIZED)
		return server_answer_plain(exchange, MHD_HTTP_UNAUTHORIZED);
	return server_answer(exchange, &response);
}
