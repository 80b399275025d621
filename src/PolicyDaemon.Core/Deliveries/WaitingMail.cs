using System.Globalization;
using System.Text;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Deliveries;

/// <summary>The mail that waits in Postfix's queue, by the domains of its recipients, as <see cref="WaitingMailReader"/> reads it.</summary>
/// <remarks>A message with recipients in several domains waits in each. The next hop of a relayhost or of a transport is no recipient's domain:
/// what waits for it cannot be told from here.</remarks>
public sealed class WaitingMail
{
    /// <summary>Messages that are counted at most; beyond them numbers are least ones.</summary>
    public const int MaxMessages = 200_000;

    private readonly List<WaitingMessage> messages = [];
    private readonly Dictionary<string, WaitingCount> domains = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, WaitingCount> refused = new(StringComparer.OrdinalIgnoreCase);

    internal WaitingMail(TimeSpan? lifetime) => Lifetime = lifetime;

    /// <summary>maximal_queue_lifetime: how long after its arrival a message is returned; null where that is not known.</summary>
    public TimeSpan? Lifetime { get; }

    /// <summary>False where the queue was not read to its end, or a part of it could not be read: every number is a least one.</summary>
    public bool IsWhole { get; internal set; } = true;

    /// <summary>Messages that were deferred.</summary>
    public int Messages { get; private set; }

    /// <param name="lines">What <c>postqueue -j</c> prints.</param>
    /// <param name="isWhole">It printed everything.</param>
    /// <param name="lifetime">maximal_queue_lifetime.</param>
    public static WaitingMail Read(IEnumerable<string> lines, bool isWhole, TimeSpan? lifetime)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var reader = new WaitingMailReader(lifetime);
        foreach (var line in lines)
            reader.Take(Encoding.UTF8.GetBytes(line + "\n"));
        return reader.End(isWhole);
    }

    /// <summary>What waits because of TLS or of the policy, by the recipients' domains; the rest of a domain's mail is not counted.</summary>
    public IReadOnlyDictionary<string, WaitingCount> OfPolicy => refused;

    /// <summary>What waits for the destinations that a key answers for: the domain itself, or everything below it.</summary>
    /// <param name="key">The key of an entry.</param>
    /// <returns>Null where nothing is known to wait; whether nothing does says <see cref="MessagesOf(NextHop)"/>.</returns>
    public WaitingCount? Of(NextHop key) => Of([key]);

    /// <summary>What waits for the destinations that any of these keys answers for, each message once.</summary>
    /// <returns>Null where nothing is known to wait.</returns>
    public WaitingCount? Of(IEnumerable<NextHop> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var found = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var key in keys)
        {
            if (key.IsSubdomains)
                found.UnionWith(domains.Keys.Where(domain => domain.EndsWith(key.Text, StringComparison.OrdinalIgnoreCase)));
            else if (!key.IsBracketed && domains.ContainsKey(key.Host))
                found.Add(key.Host);
        }

        if (found.Count == 0)
            return null;
        var all = found.Select(domain => domains[domain]).Aggregate(WaitingCount.Add);
        return found.Count == 1 ? all : all with { Messages = messages.Count(message => message.IsDeferred && message.Domains.Any(found.Contains)) };
    }

    /// <summary>How many deferred messages wait for the destinations that a key answers for.</summary>
    /// <returns>A number, a least one where the queue is not <see cref="IsWhole"/>; null where it is not known: none was found in a queue that was not read
    /// whole, or the key is that of a host or a port, to which transports lead and not the recipients' domains.</returns>
    public long? MessagesOf(NextHop key) => Of(key)?.Messages ?? (IsWhole && Tells(key) ? 0 : null);

    /// <summary>True where the queue tells what waits for a key: a domain, or what is below it.</summary>
    public static bool Tells(NextHop key) => key.IsPlainHostName || (key.IsSubdomains && key.Port is null);

    /// <summary>The domains of the recipients for which a message waits, by its queue id; empty where none waits under it.</summary>
    public IReadOnlyList<string> DomainsOf(string queueId) =>
        messages.FindLast(message => message.Id.Length > 0 && message.Id == queueId) is { Domains: { } known } ? known : [];

    /// <summary><c>12 mails wait in the queue of this machine's Postfix</c></summary>
    public string InAll() => Messages == 0 && IsWhole
        ? "no mail waits in the queue of this machine's Postfix"
        : string.Create(CultureInfo.InvariantCulture, $"{Number(Messages)} in the queue of this machine's Postfix");

    /// <summary>When the first of them is returned to its sender; null where that is not known.</summary>
    public DateTimeOffset? Returned(WaitingCount count)
    {
        ArgumentNullException.ThrowIfNull(count);
        return count.Oldest + Lifetime;
    }

    /// <summary><c>12 mails wait, the first is returned at …</c></summary>
    public string Sentence(WaitingCount count)
    {
        ArgumentNullException.ThrowIfNull(count);
        var number = $"{Number(count.Messages)} since {Time(count.Oldest)}";
        return Returned(count) is { } end ? $"{number}, and the first is returned at {Time(end)}" : number;

        static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }

    /// <summary>A time value of main.cf: a number with s, m, h, d or w, of days without (postconf(5), maximal_queue_lifetime).</summary>
    public static TimeSpan? ReadTime(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var text = value.Trim();
        if (text.Length == 0)
            return null;
        var unit = char.IsAsciiDigit(text[^1]) ? 'd' : text[^1];
        var number = char.IsAsciiDigit(text[^1]) ? text : text[..^1];
        return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= 36500
            ? unit switch
            {
                's' => TimeSpan.FromSeconds(count),
                'm' => TimeSpan.FromMinutes(count),
                'h' => TimeSpan.FromHours(count),
                'd' => TimeSpan.FromDays(count),
                'w' => TimeSpan.FromDays(7.0 * count),
                _ => null,
            }
            : null;
    }

    internal void Add(WaitingMessage message, DateTimeOffset arrived, IEnumerable<string> reasons)
    {
        messages.Add(message);
        if (!message.IsDeferred)
            return;
        Messages++;
        foreach (var (domain, reason) in message.Domains.Zip(reasons))
        {
            var one = new WaitingCount(1, arrived, reason);
            domains[domain] = domains.TryGetValue(domain, out var known) ? known + one : one;
            if (DeferralReason.IsOfPolicy(reason))
                refused[domain] = refused.TryGetValue(domain, out var other) ? other + one : one;
        }
    }

    private string Number(long count) => string.Create(
        CultureInfo.InvariantCulture, $"{(IsWhole ? "" : "at least ")}{count} {(count == 1 ? "mail waits" : "mails wait")}");
}

/// <summary>A message in the queue.</summary>
/// <param name="Id">Its queue id; empty where it has none.</param>
/// <param name="Domains">The domains of its recipients, each once.</param>
/// <param name="IsDeferred">It was tried, and waits.</param>
internal readonly record struct WaitingMessage(string Id, string[] Domains, bool IsDeferred);

/// <summary>How much mail waits.</summary>
/// <param name="Messages">Deferred messages.</param>
/// <param name="Oldest">When the first of them arrived, UTC.</param>
/// <param name="Reason">Why the first of them waits, as Postfix says it.</param>
public sealed record WaitingCount(int Messages, DateTimeOffset Oldest, string Reason)
{
    public static WaitingCount operator +(WaitingCount one, WaitingCount other) => Add(one, other);

    public static WaitingCount Add(WaitingCount left, WaitingCount right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return left.Oldest <= right.Oldest
            ? left with { Messages = left.Messages + right.Messages }
            : right with { Messages = left.Messages + right.Messages };
    }
}
