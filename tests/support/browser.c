/* See browser.h. Test thread only. */
#include "support/browser.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "support/assert.h"
#include "support/wait.h"
#include "web/web.h"

#define TOKEN_NAME "name=\"form_token\" value=\""

struct text {
	char *bytes;
	size_t len;
};

struct browser {
	struct web *web;
	CURLM *multi;
	CURL *page, *stream;
	CURLSH *jar; /* cookies of both */
	char base[64];
	char token[80];
	char header[1024], more[512];
	long status, stream_status;
	struct text head, body, heard;
	bool stream_ended;
};

static size_t append(char *data, size_t size, size_t n, void *user)
{
	struct text *text = user;
	char *grown = realloc(text->bytes, text->len + size * n + 1);

	must_be(grown != NULL, "no memory");
	text->bytes = grown;
	memcpy(grown + text->len, data, size * n);
	text->len += size * n;
	grown[text->len] = '\0';
	return size * n;
}

static void clear(struct text *text)
{
	free(text->bytes);
	*text = (struct text){ 0 };
}

static CURL *new_call(struct browser *browser, const char *ca)
{
	CURL *curl = curl_easy_init();

	must_be(curl != NULL, "no libcurl");
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_SHARE, browser->jar);
	curl_easy_setopt(curl, CURLOPT_COOKIEFILE, "");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
	if (ca != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
	return curl;
}

struct browser *browser_open(struct web *web, unsigned port, const char *ca)
{
	struct browser *browser = calloc(1, sizeof(*browser));

	must_be(browser != NULL, "no memory");
	browser->web = web;
	snprintf(browser->base, sizeof(browser->base), "%s://127.0.0.1:%u",
		 ca == NULL ? "http" : "https", port);
	browser->multi = curl_multi_init();
	browser->jar = curl_share_init();
	curl_share_setopt(browser->jar, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
	browser->page = new_call(browser, ca);
	browser->stream = new_call(browser, ca);
	return browser;
}

void browser_close(struct browser **browser)
{
	struct browser *closed = *browser;

	browser_hang_up(closed);
	curl_easy_cleanup(closed->page);
	curl_easy_cleanup(closed->stream);
	curl_multi_cleanup(closed->multi);
	curl_share_cleanup(closed->jar);
	clear(&closed->head);
	clear(&closed->body);
	clear(&closed->heard);
	free(closed);
	*browser = NULL;
}

void browser_add_header(struct browser *browser, const char *line)
{
	snprintf(browser->more, sizeof(browser->more), "%s", line == NULL ? "" : line);
}

/* Lets both ends go on. True when that call is over. */
static bool step(struct browser *browser, const CURL *wanted)
{
	int running, left;
	CURLMsg *message;
	bool over = false;

	if (browser->web != NULL)
		web_run(browser->web);
	curl_multi_perform(browser->multi, &running);
	if (browser->web == NULL)
		curl_multi_wait(browser->multi, NULL, 0, 20, NULL);
	while ((message = curl_multi_info_read(browser->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		browser->stream_ended = browser->stream_ended ||
					message->easy_handle == browser->stream;
		over = over || message->easy_handle == wanted;
	}
	return over;
}

struct call {
	struct browser *browser;
	const CURL *curl;
	const char *text;
};

static bool is_over(void *arg)
{
	struct call *call = arg;

	return step(call->browser, call->curl);
}

static void find_token(struct browser *browser)
{
	const char *at = browser->body.bytes == NULL ? NULL
						     : strstr(browser->body.bytes, TOKEN_NAME);

	if (at == NULL)
		return;
	at += strlen(TOKEN_NAME);
	snprintf(browser->token, sizeof(browser->token), "%.*s", (int)strcspn(at, "\""), at);
}

static struct curl_slist *put_headers(struct browser *browser, CURL *curl, const char *line)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");

	if (browser->more[0] != '\0')
		headers = curl_slist_append(headers, browser->more);
	if (line != NULL)
		headers = curl_slist_append(headers, line);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	return headers;
}

static void put_url(struct browser *browser, CURL *curl, const char *path)
{
	char url[5000];

	snprintf(url, sizeof(url), "%s%s", browser->base, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
}

static long perform(struct browser *browser, const char *path, const char *header)
{
	CURL *curl = browser->page;
	struct call call = { browser, curl, NULL };
	struct curl_slist *headers = put_headers(browser, curl, header);

	put_url(browser, curl, path);
	clear(&browser->head);
	clear(&browser->body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, append);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &browser->head);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &browser->body);
	curl_multi_add_handle(browser->multi, curl);
	must_be(wait_until(is_over, &call, WAIT_LONG_MS), "the server did not answer in time");
	curl_multi_remove_handle(browser->multi, curl);
	curl_slist_free_all(headers);
	browser->status = 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &browser->status);
	find_token(browser);
	return browser->status;
}

long browser_get(struct browser *browser, const char *path)
{
	curl_easy_setopt(browser->page, CURLOPT_CUSTOMREQUEST, NULL);
	curl_easy_setopt(browser->page, CURLOPT_HTTPGET, 1L);
	return perform(browser, path, NULL);
}

long browser_head(struct browser *browser, const char *path)
{
	long status;

	curl_easy_setopt(browser->page, CURLOPT_CUSTOMREQUEST, NULL);
	curl_easy_setopt(browser->page, CURLOPT_NOBODY, 1L);
	status = perform(browser, path, NULL);
	curl_easy_setopt(browser->page, CURLOPT_NOBODY, 0L);
	return status;
}

long browser_send(struct browser *browser, const char *method, const char *path, const char *type,
		  const char *body)
{
	char header[200];

	snprintf(header, sizeof(header), "Content-Type: %s",
		 type == NULL ? "application/x-www-form-urlencoded" : type);
	curl_easy_setopt(browser->page, CURLOPT_POST, 1L);
	curl_easy_setopt(browser->page, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(browser->page, CURLOPT_POSTFIELDSIZE, -1L);
	curl_easy_setopt(browser->page, CURLOPT_POSTFIELDS, body);
	return perform(browser, path, header);
}

long browser_post(struct browser *browser, const char *path, const char *fields)
{
	size_t room = strlen(fields) + sizeof(browser->token) + 20;
	char *body = malloc(room);
	long status;

	must_be(body != NULL, "no memory");
	snprintf(body, room, "form_token=%s&%s", browser->token, fields);
	status = browser_send(browser, "POST", path, NULL, body);
	free(body);
	return status;
}

long browser_follow(struct browser *browser)
{
	char path[1024];

	for (int i = 0; i < 5 && browser->status == 303; i++) {
		snprintf(path, sizeof(path), "%s", browser_header(browser, "Location"));
		browser_get(browser, path);
	}
	return browser->status;
}

void browser_sign_in(struct browser *browser, const char *user, const char *password)
{
	char fields[512];

	must_be(browser_get(browser, "/sign-in") == 200, "there is no page to sign in");
	snprintf(fields, sizeof(fields), "user=%s&password=%s", user, password);
	if (browser_post(browser, "/sign-in", fields) != 303)
		must_fail("signing in gave %ld: %s", browser->status, browser_body(browser));
	browser_follow(browser);
}

void must_show(const struct browser *browser, const char *text)
{
	if (strstr(browser_body(browser), text) == NULL)
		must_fail("\"%s\" is not on the page (%ld):\n%s", text, browser->status,
			  browser_body(browser));
}

void must_not_show(const struct browser *browser, const char *text)
{
	if (strstr(browser_body(browser), text) != NULL)
		must_fail("\"%s\" is on the page (%ld):\n%s", text, browser->status,
			  browser_body(browser));
}

const char *browser_body(const struct browser *browser)
{
	return browser->body.bytes == NULL ? "" : browser->body.bytes;
}

const char *browser_token(const struct browser *browser)
{
	return browser->token;
}

const char *browser_header(struct browser *browser, const char *name)
{
	const char *line = browser->head.bytes;
	size_t len = strlen(name);

	browser->header[0] = '\0';
	while (line != NULL && *line != '\0') {
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " ");
			snprintf(browser->header, sizeof(browser->header), "%.*s",
				 (int)strcspn(line, "\r\n"), line);
			break;
		}
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	return browser->header;
}

void browser_forget_cookies(struct browser *browser)
{
	curl_easy_setopt(browser->page, CURLOPT_COOKIELIST, "ALL");
}

void browser_take_cookies(struct browser *browser, const struct browser *from)
{
	struct curl_slist *cookies = NULL;

	curl_easy_getinfo(from->page, CURLINFO_COOKIELIST, &cookies);
	for (const struct curl_slist *one = cookies; one != NULL; one = one->next)
		curl_easy_setopt(browser->page, CURLOPT_COOKIELIST, one->data);
	curl_slist_free_all(cookies);
}

static bool has_status(void *arg)
{
	struct call *call = arg;

	step(call->browser, NULL);
	curl_easy_getinfo(call->browser->stream, CURLINFO_RESPONSE_CODE,
			  &call->browser->stream_status);
	return call->browser->stream_ended || (call->browser->stream_status != 0 &&
					       call->browser->heard.len > 0);
}

long browser_listen(struct browser *browser, const char *path, const char *last_id)
{
	struct call call = { browser, browser->stream, NULL };
	struct curl_slist *headers;
	char line[100];

	browser_hang_up(browser);
	clear(&browser->heard);
	snprintf(line, sizeof(line), "Last-Event-ID: %s", last_id == NULL ? "" : last_id);
	headers = put_headers(browser, browser->stream, last_id == NULL ? NULL : line);
	put_url(browser, browser->stream, path);
	curl_easy_setopt(browser->stream, CURLOPT_WRITEDATA, &browser->heard);
	browser->stream_ended = false;
	browser->stream_status = 0;
	curl_multi_add_handle(browser->multi, browser->stream);
	must_be(wait_until(has_status, &call, WAIT_LONG_MS), "no stream was opened in time");
	curl_slist_free_all(headers);
	return browser->stream_status;
}

static bool has_heard(void *arg)
{
	struct call *call = arg;

	step(call->browser, NULL);
	if (call->text[0] == '\0')
		return call->browser->stream_ended;
	return strstr(browser_heard(call->browser), call->text) != NULL;
}

void must_hear(struct browser *browser, const char *text)
{
	struct call call = { browser, NULL, text };

	if (!wait_until(has_heard, &call, WAIT_LONG_MS))
		must_fail("\"%s\" was not heard, but:\n%s", text, browser_heard(browser));
}

const char *browser_heard(const struct browser *browser)
{
	return browser->heard.bytes == NULL ? "" : browser->heard.bytes;
}

void browser_hang_up(struct browser *browser)
{
	curl_multi_remove_handle(browser->multi, browser->stream);
}
