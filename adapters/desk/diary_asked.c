/* Questions to the diary. See diary_asked.h. */
#include "desk/diary_asked.h"

#include <stdlib.h>
#include <string.h>
#include "desk/day.h"

static bool is_word(const char *word, const char *other)
{
	return strcmp(word, other) == 0;
}

enum ttg_error diary_ask(struct diary_asked *asked, const struct desk *desk,
                         const struct web_request *request)
{
	const char *days = web_field(request, "days");
	char today[DATE_BYTES];

	*asked = (struct diary_asked){ .desk = desk,
		                       .request = request,
		                       .caseworker = web_field(request, "caseworker"),
		                       .area = web_field(request, "area"),
		                       .first = strtoul(web_field(request, "first"), NULL, 10) };
	asked->days = is_word(days, "today") || is_word(days, "tomorrow") ? days : "21";
	day_of(request->now_ns, today);
	day_add(today, is_word(asked->days, "tomorrow") ? 1 : 0, asked->from);
	day_add(asked->from, is_word(asked->days, "21") ? DIARY_DAYS : 0, asked->until);
	return diary_make(&asked->diary, desk->views,
	                  &(struct diary_wish){ .from = asked->from,
	                                        .until = asked->until,
	                                        .now_ns = request->now_ns,
	                                        .local_areas = &desk->settings.local_areas });
}

bool diary_may_see(const struct diary_asked *asked, const struct diary_row *row)
{
	return desk_may_see(asked->request, row->person);
}

bool diary_is_asked_for(const struct diary_asked *asked, const struct diary_row *row)
{
	bool seen = diary_may_see(asked, row);

	if (!seen && (row->cancelled || row->moved_away))
		return false;
	if (asked->caseworker[0] != '\0' && !is_word(row->meets, asked->caseworker))
		return false;
	/* An area tells of a man, so that one who may not be seen is in none. */
	return asked->area[0] == '\0' || (seen && is_word(row->person->release.area, asked->area));
}

void diary_address(struct html *html, const struct diary_asked *asked, const char *path,
                   const char *days)
{
	html_add(html, "%s?days=%s&amp;caseworker=", path, days);
	html_url(html, asked->caseworker);
	html_raw(html, "&amp;area=");
	html_url(html, asked->area);
}
