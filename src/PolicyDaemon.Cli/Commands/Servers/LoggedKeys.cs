using PolicyDaemon.Administration;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Servers;

/// <summary>The key that a person means who pastes what a log shows: a recipient, a server, a queue id.</summary>
internal static class LoggedKeys
{
    private const int Most = 100;
    private const int Shown = 5;

    // postconf(5), enable_long_queue_ids: hexadecimal, or letters and digits with a z; shorter than 6 none is.
    private const int ShortestId = 6;
    private const int ShortestLongId = 10;

    /// <summary>The key of a word that may be one, or what a log shows of its mail.</summary>
    /// <exception cref="CommandException">It is none, or several stand behind it.</exception>
    internal static NextHop Key(CommandContext context, string word)
    {
        word = QueueId(word);
        if (LoggedName.TryParse(word, out var logged) && !NextHop.TryParse(word, out _, out _))
            return logged.Domain ?? OfServer(context, word, logged);
        if (!IsQueueId(word))
            return CommandContext.ParseKey(word);
        var mail = MailQueue.Read(context.Host);
        if (mail?.DomainsOf(word) is { Count: > 0 } domains)
            return One(word, Keys(domains));
        if (LooksLikeQueueId(word))
        {
            using var store = context.OpenStore(StoreAccess.Read);
            RequireKnown(word, mail, () => NextHop.TryParse(word, out var key, out _) && store.Find(key) is not null);
        }

        return CommandContext.ParseKey(word);
    }

    /// <summary>The keys of the domains of a message; of other people's text there may be some that are none.</summary>
    internal static List<NextHop> Keys(IReadOnlyList<string> domains) =>
        [.. domains.Select(domain => NextHop.TryParse(domain, out var key, out _) ? key : (NextHop?)null).OfType<NextHop>().Distinct()];

    /// <summary>The id of a message without what a log (a colon) or postqueue(1) (an asterisk, an exclamation mark) writes behind it; any other word as it is.</summary>
    internal static string QueueId(string word) => word is [.., ':' or '*' or '!'] && IsQueueId(word[..^1]) ? word[..^1] : word;

    /// <summary>True where the word can be the id of a message.</summary>
    internal static bool IsQueueId(string word) => word.Length is >= ShortestId and <= 30 && word.All(char.IsAsciiLetterOrDigit);

    /// <summary>True where the word is hardly anything else: upper-case hexadecimal digits, or the ten characters and more of the long form, with a digit.</summary>
    internal static bool LooksLikeQueueId(string word) => IsQueueId(word) && word.Any(char.IsAsciiDigit)
        && (word.Length >= ShortestLongId || word.All(char.IsAsciiHexDigitUpper));

    /// <summary>Lets a word pass that names a host after all.</summary>
    /// <param name="mail">The queue; null where it cannot be read.</param>
    /// <param name="isHost">Whether something is known under this name.</param>
    /// <exception cref="CommandException">It is the id of a message, whose recipients nobody can tell here.</exception>
    internal static void RequireKnown(string word, WaitingMail? mail, Func<bool> isHost)
    {
        if (!LooksLikeQueueId(word) || isHost())
            return;
        throw mail is null
            ? new CommandException(
                ExitCode.Inconclusive,
                $"{word} looks like the id of a message, and the queue cannot be read here: there is no Postfix, or you may not see it (authorized_mailq_users); as root: postqueue -j")
            : mail.IsWhole
                ? new CommandException(ExitCode.Negative, $"{word} looks like the id of a message, and none with it waits in the queue; it was delivered, returned or removed")
                : new CommandException(ExitCode.Inconclusive, $"{word} looks like the id of a message, and it is not among those that were read of a long queue; see it with: postqueue -p");
    }

    private static NextHop OfServer(CommandContext context, string word, LoggedName logged)
    {
        using var store = context.OpenStore(StoreAccess.Read);
        var behind = store.FindBehind(logged.Host, logged.Address, Most).Select(served => served.Key).Distinct().ToList();
        if (behind.Count > 0)
            return One(word, behind);
        // Nobody's server: the server itself can be checked all the same.
        return CommandContext.ParseKey(logged.Host is { } host ? $"[{host}]" : $"[{logged.Address}]");
    }

    private static NextHop One(string word, List<NextHop> keys) => keys switch
    {
        [var one] => one,
        [] => throw new CommandException(ExitCode.Usage, $"the message {word} waits for recipients whose domains are no destinations; see them with: postqueue -p"),
        _ => throw new CommandException(
            ExitCode.Usage,
            $"{word} concerns {(keys.Count >= Most ? "at least " : "")}{Phrases.Count(keys.Count, "destination")}: {string.Join(", ", keys.Take(Shown))}{(keys.Count > Shown ? ", ..." : "")}; name one of them, or see all: policyctl who {Shell.Quote(word)}"),
    };
}
