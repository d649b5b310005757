"""Page furniture: what stands on a web page around an article and is no sentence of it.

A text that was copied or scraped off a page brings its menus, share buttons, bylines, lone dates, photo credits,
related links, comment forms and cookie banners along. The rule is made to be right rather than complete: furniture that
is missed is merely scored, while a sentence that is taken for furniture is lost. It looks at

1. set phrases, buttons, credits, dates, links and form fields, where a sentence is nothing else.
2. lines that come again. Of short ones without a full stop all but the first are furniture, and all of those of up to
   three words that come more often than they have words; a copy in small letters is never the one that is kept. So are
   lines put together of one that is furniture and one that stands elsewhere, and longer lines that come again with
   furniture on all sides.
3. what stands around. Three lines or more in a row of up to three words are a menu, where one of them is furniture.
   Below the first line of prose, short lines without a full stop are furniture behind the heading of a list of links
   (``Related articles``), and among at least three pieces of furniture that make two fifths of the lines from the first
   of them to the last. Below the last line of prose, a quarter will do, and what stands behind the last one is too.

``eval/furniture.py`` measures it.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from claimsift.sentences import Sentence

LONGEST = 300  # characters; set phrases are shorter
LONG_LINE, SHORT_LINE, SHORTER_LINE, LABEL_LINE = 40, 14, 8, 3  # words
LONGEST_OUTCRY = 4  # letters: No no no
FEWEST, SHARE_INSIDE, SHARE_AT_END = 3, 0.4, 0.25

LINE_BREAK = re.compile(r"[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
QUOTES, CLOSING_QUOTES, CLOSING = "\"'“”‘’«»", ('"', "”", "’", "»"), "\"'”’»)]"
STOPS = (".", "!", "?", "…", ":", ";", ",")
WORD = re.compile(r"\w+")
SEPARATOR = re.compile(r"\s*[|•·»›>]\s*")


# What stands in angle brackets in the lists below.
PARTS = {
    "NETWORK": (
        r"(?:facebook|twitter|whats ?app|linked ?in|pinterest|reddit|instagram|youtube|telegram|tumblr|viber|rss|digg|"
        r"google(?: ?\+| plus)?|messenger|flipboard|bluesky|mastodon|threads|tik ?tok|snapchat|e-?mail|stumbleupon)"
    ),
    "MONTH": (
        r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
        r"nov(?:ember)?|dec(?:ember)?)"
    ),
    "DATEPART": (
        r"(?:<MONTH>|(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|[ap]\.?m\.?|gmt|utc|[bc]st|cest|cet|"
        r"e[sd]?t|p[sd]t|\d{1,4}(?:st|nd|rd|th)?(?:[:./-]\d{1,4}){0,2}|[+-]\d{1,2}|hours?|hrs?|minutes?|mins?|seconds?|"
        r"days?|weeks?|months?|years?|ago|last|first|updated?|published|posted|modified|created|added|date|read|reading|"
        r"time|at|on|of|the)"
    ),
    "NAME": r"(?:(?:van|von|de|del|der|al|el|bin|di|da|O'|Mc)[ -]?)?[A-ZÀ-Þ][\w'’.-]*",
    "DATE": r"[A-Z][a-z]+ \d{1,2},? \d{4}\b.{0,20}",
    "ROLE": r"(?:correspondent|editor|reporter|writer)",
    "DESK": (
        r"(?:Senior|Chief|Deputy|Staff|Special|Local|Democracy|News|Home|Foreign|World|Political|Politics|Affairs|Business|"
        r"Economics|Health|Science|Education|Environment|Crime|Court|Security|Defence|Diplomatic|Royal|Showbiz|Sports?)"
    ),
    "AGENCY": (
        r"(?:AP|AFP|AAP|PTI|IANS|UPI|DPA|dpa|EPA|REUTERS|Reuters|TASS|Xinhua|Associated Press|Agence France-Presse|"
        r"Press Association|Agencies|Newswire)"
    ),
    "WIRE": r"(?:ap|afp|aap|pti|ians|upi|dpa|epa|epd|kna|reuters|tass|xinhua)",
    "WHERE": r"(?: (?:now|today|this week|for you|(?:from|in|on|about) (?:this |the |our )?\w+))?",
    "LINK": r"(?:(?:https?://|www\.|pic\.twitter\.com/)\S+|\S+@\S+\.\w+|[@#]\w+)",
}


def _one_of(patterns: str, flags: int = re.IGNORECASE | re.DOTALL) -> re.Pattern:
    """Compiles a list of patterns, one a line."""
    expanded = "|".join(line.strip() for line in patterns.splitlines() if line.strip())
    while found := re.search(r"<([A-Z]+)>", expanded):
        expanded = expanded.replace(found[0], PARTS[found[1]])
    return re.compile(expanded, flags)


# Each may end in a full stop.
PHRASES = _one_of(
    r"""
    share(?: (?:this|it))?(?: (?:page|post|article|story|link|video))?(?: (?:on|via|with|by|to|using|below|in the comments|your|<NETWORK>))*[.:!]?
    share (?:this|it) with (?:your )?friends[.:!]?|share (?:your (?:thoughts|views|comments|story)|what you think)(?: (?:with us|below|here|about this|in the comments(?: section)?(?: below)?))*[.:!]?
    click to (?:share|e-?mail|print|tweet)(?: (?:this|it|a link))?(?: (?:on|to|via) (?:a friend|<NETWORK>))?(?: \(opens in new window\))?
    (?:for (?:the )?(?:latest|more|breaking)[^.]{0,40} )?(?:please )?(?:follow [\w' @]{2,40}|(?:like|find|join) (?:us|me|our [\w ]{2,30}))(?: and [\w' @]{2,30})? on <NETWORK>(?:,? (?:(?:and|or|&) )?<NETWORK>)*(?:(?: at)?[ :(–-]*(?><LINK>)\)?)*(?: for (?:the )?(?:latest|more|breaking|all|updates|news)\b[^.,:;]{0,40})?[.!]?
    follow @\w+(?: (?:on|for|and) [^.,:;]{2,30})?\.?

    (?:sign up|subscribe|register)(?: (?:now|here|today|free|for free))*[.!]?
    (?:sign up|subscribe|register)(?: (?:now|here|today))? (?:for|to)\b[^.,:;]{0,80}\b(?:newsletters?|(?:e-?mail|news|breaking) (?:alerts?|updates?)|in-?box)(?: (?:here|now|today|below|for free|and [^.,:;]{2,40}))?[.!]?
    (?:sign up|subscribe|register)(?: (?:now|here|today))? (?:for|to) (?:(?:a|an|our|your|the|my|free|daily|weekly|morning|evening) )*(?:e-?mails?|alerts?|updates?|briefings?|account|channel|podcast|comment)(?: (?:here|now|today|below|for free))?[.!]?
    subscribe now and save(?: (?:up to )?\d+ ?%?)?[.!]?
    join our (?:[\w-]+ ){0,4}(?:newsletter|mailing list|community|channel|group|conversation|discussion)(?: (?:here|now|today|on <NETWORK>))?[.!]?
    (?:get|receive) [^.,:;]{0,80}\b(?:in|to) your (?:in-?box|e-?mail|phone)(?:,? (?:here|now|for free|daily|(?:each|every) [\w ]{3,15}))?[.!]?
    (?:already |not )?(?:a |have an )?(?:account|subscriber|member|registered)\?(?: (?:sign|log) ?in(?: here)?)?[.!]?
    (?:sign|log) ?in to (?:comment|your account|continue|post|reply|leave a comment)(?: (?:or|and) (?:register|sign up|create an account|join)[\w ]{0,20})?[.!]?
    you (?:can|may) unsubscribe at any time.{0,40}|we will use your e-?mail(?: address)? only for .{2,60}
    (?:please )?see our (?:privacy (?:notice|policy)|terms)[^.]{0,60}\.?

    leave (?:a|your) (?:reply|comment)s?(?: (?:cancel reply|below|here|now))*[.:!]?|your e-?mail(?: address)? will not be (?:published|shared).{0,40}
    (?:all )?(?:required|mandatory) fields (?:are )?marked.{0,20}|[: ]*characters (?:left|remaining)
    (?:post|add|write|submit|view|show|hide|read|load|see) (?:(?:a|your|all|more|the|[\d,]+) )*comments?(?: \(?\d+\)?)?
    comments (?:are|have been|for this \w+ are) (?:now )?(?:closed|disabled|moderated|turned off)(?: (?:for|on|by|before|in) [^.,:;]{2,40})?\.?
    (?:the|these) comments (?:below |above )?have (?:not )?been moderated.{0,30}
    be the first (?:one )?to (?:comment|reply|leave a comment)(?: (?:here|below|now|on this \w+))?[.!]?|first to comment|have your say[.!]?
    join the (?:conversation|discussion)[.!]?|notify me (?:of|when|by|about)\b[^,:;]{0,60}\b(?:comments?|posts?|replies|responses|e-?mail)\b.{0,20}|save my name,? (?:and )?(?:my )?e-?mail\b.{2,80}
    \d+ (?:thoughts?|comments?|responses?|replies) (?:on|to) [“"‘'].{2,120}[”"’']
    report (?:abuse|(?:this )?comment|an error|a (?:typo|mistake))
    (?:please )?(?:read|see) our (?:house|comment) (?:rules|policy|guidelines)\.?
    i (?:have read and )?(?:agree|accept|consent) (?:with|to)?\s*the (?:(?:terms|privacy|conditions|policy|notice|statement|service|use|and|of|the|this|(?:web ?)?site)\b[ ,.]*)+

    (?:we|(?:this|our) (?:web ?)?sites?)(?: and our (?:\w+ )?partners)? uses? cookies(?: (?:to|on|for|and|in order)\b.{0,150})?\.?
    by (?:continuing|using|clicking|browsing|closing)\b[^.]{0,80}\byou (?:agree|consent|accept)\b[^.]{0,60}\b(?:cookies?|terms|polic(?:y|ies)|privacy|conditions|use)\b[^.]{0,40}\.?
    media playback is (?:not supported|unsupported)\b.{0,30}|please enable javascript\b.{0,80}
    your browser does not support .{2,60}

    [^.]{0,80}©.{0,120}|(?:©|\(c\) ?(?=copyright|\d{4})|copyright ?(?:©|\(c\)|(?=\d{4}))).{2,120}|.{0,60}\ball rights reserved\b.{0,60}
    (?:this (?:material|content|article)|no part of this .{2,30}) may not be (?:published|reproduced|broadcast|copied)\b.{0,80}\b(?:without|rewritten|redistributed|in any form|in whole|permission)\b.{0,60}
    (?:proudly )?powered by (?-i:<NAME>)(?: [\w.]+){0,2}|(?:(?:maintained|designed|hosted|developed) and (?:maintained|designed|hosted|developed)) by [^,]{2,50}
    web ?site (?:(?:designed|built|developed) )?by (?-i:<NAME>(?: <NAME>){0,3})

    (?:skip|jump) to (?:\w+ ){0,3}(?:content|navigation|footer|header|menu|search|sidebar|links|comments|article|section)|download (?:our|the) (?:\w+ )?app(?: (?:here|now|today|for (?:free|ios|iphone|android)|from [^.,:;]{2,30}))*[.!]?|unsubscribe(?: (?:here|now|at any time|from [\w ]{2,30}))*|loading(?: video)?[.…]*
    the post (?-i:[A-Z“"‘']).{2,160} appeared first on (?!<NETWORK>)(?-i:[A-Z]).{2,60}|\(visited \d+ times.{0,30}\)
    (?:let us know|tell us|have your say)(?: \w+){0,4} in the comments\b[^.]{0,30}[.!]?|sorry,? (?:we are unable to|comments are) [^,:;]{2,80}
    (?:the )?(?:views|opinions) expressed\b(?=[^.]{0,80}\b(?:author|writer|contributor)s?\b)[^.]{0,80}\b(?:are (?:those|solely|not|the|his|her|their)|do not (?:necessarily )?(?:reflect|represent))\b[^.]{0,120}\.?
    something went wrong,? please try again\b.{0,20}|found a (?:mistake|typo)\?|please (?:wait|refer to the attached files?)[.…]*

    (?:click|tap) here (?:to|for) .{2,60}|scroll down\b.{0,20}\b(?:videos?|photos?|pictures?|more)\b.{0,20}
    (?:(?:the|this) )?(?:story|article|video|post) continues below\b[^.]{0,60}\.?
    this (?:story|article|post) (?:appears|was (?:first|originally) published) (?:in the \w+ issue\b[^.,]{0,40}|on (?!<NETWORK>|<DATEPART>\b)(?-i:[A-Z])[^.,]{1,60})\.?
    continue reading(?: (?:the|this|main|full|rest of|story|article|post|below|here))*(?:[ .…:→»]*| [“"‘'].{2,60})|(?:read|see|view) (?:all|more) (?:(?:posts|articles|stories)(?: (?:from|by|in|on|about) [^.,:;]{2,40})?|(?:from|by) [^.,:;]{2,40})\.?
    (?:tags?|tagged(?: with)?|topics?|filed (?:under|in)|posted in|categor(?:y|ies)|keywords|labels)\s*:.{0,120}
    (?><LINK>)(?:[\s,|]++(?><LINK>))*+|like loading\.*|let's block ads!|\(why\?\)|\[?…\]?|\[\.\.\.\]
    <!--.*|\w+(?:\.\w+)*\(['"].*\);?

    .{3,80} contributed (?:(?:reporting|research) (?:to|for) (?:this|the)|(?:to|for) this) (?:report|story|article)\.?
    (?-i:<NAME>(?:,? (?:and )?<NAME>)+) contributed to the (?:report|story|article)\.?
    \(?(?:(?:with )?additional )?(?:reporting|writing)(?: and (?:editing|writing|reporting))? by:? (?-i:(?:the |agencies|staff)?(?:<NAME>(?: <NAME>){0,3})?(?:[,:;]? (?:and|in|from|by|with|for|agencies|staff|@\w+|(?:[Aa]dditional )?(?:[Rr]eporting|[Ww]riting|[Ee]diting)(?: and \w+)?|<NAME>))*+) ?[).]*
    with (?:files|(?:additional )?reporting|material) (?:from|by) (?-i:(?:[Tt]he )?<NAME>(?:,?(?: and)? <NAME>){0,5})|\(adds .{2,60}\)
    /\w{2,6}/\.?|\(<WIRE>(?:[,/; ]+<WIRE>)*\)\.?|(?-i:[a-z]{2,4}(?:/[a-z]{0,4})* ?)?\(<WIRE>(?:, ?\w+){0,4}\)
    .{0,40}\( ?china daily .{4,40}page ?\d+\)|[—–-] ?.{2,50} \(@\w+\) <MONTH>.{3,20}
    """
)

# None of these has a full stop.
FRAGMENTS = _one_of(
    r"""
    (?:share|follow|tweet|print|save|like)?[\s:]*<NETWORK>(?:[\s,|/·•-]+(?:<NETWORK>|share|tweet|print|on|page|save))*
    [\d,.]+k? (?:comments?|responses?|replies|shares?|views?|likes?|retweets?)|(?:no|view) comments(?: yet)?|[\d,]+ view comments
    comments?\s*\(\d+\)|\d+ (?:of|/) \d+|page \d+(?: of \d+)?|font size\b.{0,12}
    enter (?:your )?(?:e-?mail|name|search|postcode|zip|the code)(?: (?:address|terms?|code|shown|above|below|here|your|and|or|name|e-?mail|location))*
    (?:sign|log) ?(?:in|out|on|up)(?: (?:here|now|with (?:<NETWORK>|apple|your [\w -]{2,20})))?
    (?:[\w'’-]+ ){0,3}[\w'’-]+ ?\*|\w+ (?:[×x+*−-]|plus|minus|times) \w+ = ?\??

    (?:accept|reject|allow|decline)(?: (?:all|only|essential|necessary|optional))*(?: cookies)?(?: and (?:close|continue))?
    (?:manage|cookie|privacy|consent)(?: (?:my|all))?(?: (?:cookies?|preferences|settings|policy|notice|choices|options))*
    comments powered by [\w. ]{2,40}|(?:invalid|enter a valid) e-?mail(?: address)?|sponsor(?:'s)? message|become an? (?:member|sponsor|subscriber|supporter|patron)
    (?:older|newer) (?:comments|posts)|(?:search|print|save|rate) this (?:page|site|web ?site|article)|\d+-minute (?:listen|read|watch)
    (?:terms|conditions|privacy|cookies?)(?: (?:of|and|&) (?:use|service|conditions|sale|cookies?))?(?: (?:policy|notice|settings))?

    (?:read|see|watch|view|show|load|listen|find out|discover)(?: (?:it|more|also|next|here|now|live|all|less|gallery|video|photos))+
    (?:read more|see also|also read|read also|related|more)(?: ?[:»>]+| [–—-]) ?(?:\S+\s+){0,13}\S+
    [»›<>←→]+(?! ?\d).{2,120}|[«‹]+ ?[^»›]{2,120}|.{2,120}? ?[»›→]+|tagged with \w+(?:, \w+){2,}|(?-i:from) .{2,80} https?://\S+
    (?:advertisement|advertising|[-–— ]*advertisement[-–— ]*|sponsored(?: content| links?)?|promoted(?: stories)?)
    \S+\.(?:jpe?g|png|gif|webp|mp4|pdf)|(?=\S*[a-z])[\w-]*\d{5,}[\w-]*|[a-z0-9]+(?:-[a-z0-9]+){3,}

    (?:image|photo|picture|media|video)s? (?:credit|copyright)|(?:image|photo|picture|media|video)s? copyright (?-i:<NAME>(?:[ /]<NAME>){0,2})
    (?:image|photo|picture)s? (?:credit|source|courtesy)(?: of)?: ?(?-i:<NAME>(?:[ /,]+<NAME>){0,4})
    (?:hide|toggle|show|image) caption|(?:enlarge|zoom) (?:this )?(?:image|photo)|getty images(?: ?/ ?.{2,40})?
    (?:[\w-]+\.)+(?:com|org|net|info|example|co\.\w\w)/\S*
    about the authors?|-?\d{1,2} ?°(?: ?[cf])?|(?:published|posted|updated|modified) ?:?
    """
)

# None of these has a full stop, and names have capitals.
CREDITS = _one_of(
    r"""
    (?!.*\b(?:Says?|Said|Den(?:y|ies|ied)|Claims?|Told)\b)(?:[Bb]y|BY):? <NAME>(?: <NAME>){1,3}(?:,? (?:and|AND|in|for|of|the|&|[|–-]|<NAME>|<ROLE>))*+
    (?:[Ww]ords|[Pp]hotographs?|[Pp]ictures|[Ww]ritten|[Ee]dited|[Rr]eporting|[Tt]ext|[Pp]osted(?: on .{4,20})?):? by:? <NAME>(?:,? (?:and|in|<NAME>))*+
    <AGENCY>(?:(?:,| ?/| and) ?<AGENCY>)*|<AGENCY> ?/ ?<NAME>(?: <NAME>){1,3}|(?:<NAME> ){0,3}<NAME>(?:, ?| ?\()<AGENCY>\)?
    [(\[]?(?:[Ff]ile )?(?:[Pp]hoto(?:graph)?|[Pp]icture|[Ii]mage|PHOTO|PICTURE)s?(?: [Cc]redit)?(?:[:/]| by| via| courtesy of:?) ?<NAME>(?: <NAME>){0,2}(?: ?[/,] ?<NAME>(?: <NAME>){0,2}){0,2}[)\]]?
    [Bb]y <NAME>(?: <NAME>){1,3} on <DATE>|<NAME> <NAME>/<NAME>(?: <NAME>){0,3}|(?:<DESK> ){1,3}(?:Reporter|Correspondent|Editor)
    [Ss]ource ?: ?-? ?(?:<NAME>|\d\w+)(?: <NAME>)?(?:, <NAME>(?: <NAME>)?)*(?:(?: and)? (?:[Nn]ews|[Aa]gency|[Aa]gencies|Times|Press|Post|Journal))*
    \([Pp]hoto [Cc]redit:.{2,40}\)
    <NAME>(?: <NAME>)? ?[-–—] ?(?:<NAME> Today|(?:<NAME> ){0,2}(?:News|Agency|Times|<AGENCY>))
    (?!Fake|Breaking|Latest)<NAME> News|(?:<NAME> ){1,3}News Agency|<NAME>(?: <NAME>)? via <NAME>(?: <NAME>)?
    """,
    re.DOTALL,
)
DATELINE = re.compile(r"[A-Z][A-Z .'-]{2,30},? (?:[A-Z][a-z.]+ ?)\d{1,2}\.?(?: ?\(\w+\))?(?: ?[-–—]+)?")
DATE = _one_of(r"(?><DATEPART>(?:[\s,.:;|/•·()–—-]++|(?<=\d)(?=[ap]m)|$))++")
NETWORKS = _one_of(r"\b<NETWORK>\b")
NETWORKS_IN_A_ROW = _one_of(r"\W*(?:(?:send|share|save)\s+)?<NETWORK>(?:\s+<NETWORK>){2}\b")

LIST_HEADINGS = _one_of(
    r"""
    (?:related|recommended|trending|popular|sponsored|promoted)(?: (?:now|for you))?
    (?:related|recommended|trending|popular|sponsored|promoted|top|latest|more|most|other|similar|suggested)(?: \w+)? (?:articles?|stories|items|links)<WHERE>
    (?:related|recommended|trending|popular|sponsored|promoted|top|latest|more|most|other|similar)(?: \w+)? (?:topics|content|news|posts|coverage|reading|videos?|headlines)<WHERE>
    most (?:read|popular|viewed|shared|watched|commented)(?: (?:news|sports?))?(?: (?:articles|stories|posts|videos?))?<WHERE>|editor'?s'? picks?
    more (?:on this story|on this topic|like this|from (?:this author|the web|around the web|us|(?-i:<NAME>(?: <NAME>){0,2}))|on)|you (?:may|might) (?:also )?(?:like|be interested in|enjoy)
    (?:recent|latest|popular) posts|(?:partner|sponsored) (?:news|stories)|(?:news )?from our partners
    also|see also|also see|read also|also read|read next|up next|what to read next|don't miss|from (?:around )?the web|around the web|elsewhere on (?:the|our|this) (?:web|(?:web ?)?site)
    """
)

BUTTONS = frozenset(
    re.split(
        r",\s+",
        """home, celebs, royals, football, scores, fixtures, council, housing, crime, environment, listen live, transcript, embed, download,
    news, sport, sports, business, politics, world, opinion, comment, comments, culture, lifestyle, life,
    style, travel, weather, tv, video, videos, photos, gallery, galleries, pictures, podcast, podcasts, jobs, cars,
    property, money, markets, tech, technology, science, health, education, entertainment, showbiz, arts, books,
    film, music, obituaries, letters, editorials, columnists, puzzles, crosswords, horoscopes, classifieds, shop,
    store, local, national, international, region, features, magazine, blogs, blog, live, today, about, about me,
    about us, contact, contact us, advertise, advertise with us, help, faq, faqs, sitemap, site map, careers,
    archive, archives, e-paper, epaper, newsletter, newsletters, apps, rss, search, menu, close, main menu,
    navigation, accessibility, accessibility links, skip to content, skip to main content, skip to navigation,
    back to top, return to top, top, more, read more, see more, show more, next, previous, prev, next post,
    previous post, next article, previous article, next story, next page, previous page, back, submit, send, reset,
    cancel, cancel reply, post comment, post a comment, reply, report, share, share this, share this article, tweet,
    email, e-mail, print, print version, save, like, like this, like loading, bookmark, copy link, link copied,
    subscribe, subscribe now, register, sign up, sign in, sign out, log in, login, log out, logout, my account,
    create account, account, forgot password, forgotten password, username, password, name, website, terms,
    terms of use, terms of service, terms and conditions, privacy, privacy policy, cookies, cookie policy, imprint,
    legal, disclaimer, mandatory, required, security code, comment title, play, pause, mute, expand, enlarge,
    enlarge image, view gallery, ad, ads, advertisement, update, updated, more on, topics, tags, categories, follow,
    follow us, rate this article, email this article, print this article, view all, see all, newest, oldest,
    most recent, editions, edition, languages, english, русский, українська, العربية, فارسی, 中文, notifications, settings, profile, donate, support us, feed settings, view original, mark as read, most recent, corrections, notices, about the author""",
    )
)


def find_furniture(text: str, sentences: Sequence[Sentence]) -> list[bool]:
    """Says of each sentence of an article whether it is page furniture.

    Args:
        text: the article.
        sentences: its sentences, in text order, as :func:`~claimsift.sentences.split_sentences` gives them.

    Returns:
        One answer for each sentence.
    """
    lines = _lines(text, sentences)
    _mark_repeated(lines)
    _mark_combined(lines)
    _mark_repeated_between_furniture(lines)
    _mark_menus(lines)
    _mark_lists_and_surroundings(lines)
    return [one or line.furniture for line in lines for one in line.sentences]


@dataclass
class Line:
    """A line of the text, and whether each of its sentences is furniture by itself."""

    sentences: list[bool]
    key: str  # two lines with the same one say the same
    words: int
    furniture: bool
    is_date: bool
    heads_list: bool
    unfinished: bool  # one sentence that does not end as one
    exclaims: bool
    small: bool  # without a capital

    @property
    def is_prose(self) -> bool:
        """Whether it must not be taken for a link, a button or the like because of what stands around it."""
        longest = SHORT_LINE if self.unfinished else SHORTER_LINE if self.exclaims else 0
        return not self.furniture and self.words > longest


def _lines(text: str, sentences: Sequence[Sentence]) -> list[Line]:
    lines, start = [], 0
    for index, sentence in enumerate(sentences, start=1):
        if index == len(sentences) or LINE_BREAK.search(text, sentence.end, sentences[index].start):
            lines.append(_line(text, sentences[start:index]))
            start = index
    return lines


def _line(text: str, sentences: Sequence[Sentence]) -> Line:
    whole = text[sentences[0].start : sentences[-1].end]
    marks = [is_furniture(sentence.text) for sentence in sentences]
    short = len(whole) <= LONGEST
    unfinished = short and len(sentences) == 1 and not _ends(whole)
    words = WORD.findall(whole.casefold().replace("'", "").replace("’", "")) if short else []
    return Line(
        sentences=marks,
        key=" ".join(words) if unfinished else whole,
        words=len(words) if short else LONGEST,
        furniture=all(marks) or (len(marks) > 1 and is_furniture(whole)),
        is_date=_is_date(whole),
        heads_list=unfinished and _heads_list(whole),
        unfinished=unfinished,
        exclaims=len(sentences) == 1 and whole.endswith(("!", "?")),
        small=unfinished and whole == whole.lower(),
    )


def is_furniture(sentence: str) -> bool:
    """Whether a sentence is furniture wherever it stands."""
    if len(sentence) > LONGEST:
        return False
    if not any(map(str.isalpha, sentence)):
        return bool(sentence.strip(QUOTES))  # one that was cut off its quotation is none
    if PHRASES.fullmatch(sentence) or DATELINE.fullmatch(sentence) or _is_date(sentence):
        return True
    if _ends(sentence.rstrip(":…")):
        return False
    return (
        bool(FRAGMENTS.fullmatch(sentence) or CREDITS.fullmatch(sentence))
        or _heads_list(sentence)
        or _is_menu(sentence)
        or _names_networks(sentence)
    )


def _ends(sentence: str) -> bool:
    """Whether it has a full stop, or the like, or ends as a quotation."""
    return sentence.endswith(CLOSING_QUOTES) or sentence.rstrip(CLOSING).endswith(STOPS)


def _is_date(sentence: str) -> bool:
    return len(sentence) <= LONGEST and bool(DATE.fullmatch(sentence)) and any(map(str.isdigit, sentence))


def _heads_list(line: str) -> bool:
    return bool(LIST_HEADINGS.fullmatch(line.rstrip(":… ")))


def _is_menu(line: str) -> bool:
    """A button, or several: Home | News | Sport."""
    items = [item.strip(" .:…*").casefold() for item in SEPARATOR.split(line)]
    if len(items) == 1:
        words = items[0].split()
        return items[0] in BUTTONS or (len(words) > 2 and BUTTONS.issuperset(words))
    return BUTTONS.issuperset(items) or (len(items) > 2 and all(len(item.split()) < 4 for item in items))


def _names_networks(line: str) -> bool:
    """Send Facebook Twitter Google+, or Courier Facebook, Courier Twitter, Courier RSS; but no headline about them."""
    others = WORD.findall(NETWORKS.sub(" ", line))
    if NETWORKS_IN_A_ROW.match(line):
        return True
    return len(NETWORKS.findall(line)) >= FEWEST and all(others.count(word) >= FEWEST for word in others)


def _mark_repeated(lines: list[Line]) -> None:
    places: dict[str, list[Line]] = {}
    for line in lines:
        if line.unfinished and line.words <= SHORT_LINE:
            places.setdefault(line.key, []).append(line)
    for same in places.values():
        is_label = sum(not line.small for line in same) > same[0].words <= LABEL_LINE
        kept = next((line for line in same if not (line.small or line.furniture or is_label)), None)
        if len(same) > 1:
            _mark([line for line in same if line is not kept])


def _mark_combined(lines: list[Line]) -> None:
    """Marks Courier Courier, and Courier Fire in Tarnow where both of its parts are lines too."""
    known = {line.key for line in lines if line.unfinished}
    marked = {line.key for line in lines if line.unfinished and line.furniture}
    for line in lines:
        words = line.key.split() if line.unfinished and line.words <= LONG_LINE else []
        cuts = ((" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words)))
        is_said_again = len(words) > 1 and len(set(words)) == 1 and len(words[0]) > LONGEST_OUTCRY
        if is_said_again or any(before in marked and behind in known for before, behind in cuts):
            line.furniture = True


def _mark_repeated_between_furniture(lines: list[Line]) -> None:
    places: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        if not line.furniture:
            places.setdefault(line.key, []).append(index)
    for same in places.values():
        around = (lines[near] for index in same for near in (index - 1, index + 1) if 0 <= near < len(lines))
        if len(same) > 1 and all(line.furniture for line in around):
            _mark([lines[index] for index in same])


def _mark_menus(lines: list[Line]) -> None:
    """Marks lines of a word or three that stand in a row, one of which at least is furniture.

    Above the prose, where no longer line can be the headline, one of them may be.
    """
    prose = next((index for index, line in enumerate(lines) if line.is_prose), len(lines))
    headlines = (line.unfinished and not line.furniture and line.words > LABEL_LINE for line in lines[: prose + 1])
    below = lines if any(headlines) else lines[prose:]
    for is_short, group in itertools.groupby(below, key=lambda line: line.unfinished and line.words <= LABEL_LINE):
        row = list(group)
        if is_short and len(row) >= FEWEST and any(line.furniture and not line.is_date for line in row):
            _mark(row)


def _mark_lists_and_surroundings(lines: list[Line]) -> None:
    prose = [index for index, line in enumerate(lines) if line.is_prose]
    for before, after in itertools.pairwise([*prose, len(lines)]):
        run, at_end = lines[before + 1 : after], after == len(lines)
        marked = [index for index, line in enumerate(run) if line.furniture]
        if not marked:
            continue
        heading = next((index for index in marked if run[index].heads_list), len(run))
        among = run[marked[0] : None if at_end else marked[-1] + 1]
        # A list of events has dates too.
        if sum(not run[index].is_date for index in marked) >= FEWEST and len(marked) >= (
            SHARE_AT_END if at_end else SHARE_INSIDE
        ) * len(among):
            _mark([line for line in among if at_end or line.words <= SHORTER_LINE])
        _mark(run[heading:])


def _mark(lines: list[Line]) -> None:
    for line in lines:
        line.furniture = True
