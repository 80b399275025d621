using System.Globalization;
using System.Text.Json;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Deliveries;

/// <summary>The mail that waits in Postfix's queue, by the domains of its recipients, as <c>postqueue -j</c> prints it.</summary>
/// <remarks>
/// <code>
/// {"queue_name": "deferred", "queue_id": …, "arrival_time": 1795961977, …, "recipients": [{"address": "user@example.com", "delay_reason": "…"}]}
/// </code>
/// <para>One object a line; postqueue(1), JSON OBJECT FORMAT. A message with recipients in several domains waits in each. The next hop of
/// a relayhost or of a transport is no recipient's domain: what waits for it cannot be told from here.</para>
/// </remarks>
public sealed class WaitingMail
{
    /// <summary>Messages that are counted at most; beyond them numbers are least ones.</summary>
    public const int MaxMessages = 200_000;

    private const int MaxDomains = 100_000;
    private const string Deferred = "deferred";
    private const long LastSecond = 253_402_300_799; // the year 9999 ends

    private readonly Dictionary<string, List<string>> messages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WaitingCount> domains = new(StringComparer.OrdinalIgnoreCase);

    private WaitingMail(TimeSpan? lifetime) => Lifetime = lifetime;

    /// <summary>maximal_queue_lifetime: how long after its arrival a message is returned; null where that is not known.</summary>
    public TimeSpan? Lifetime { get; }

    /// <summary>False where the queue was too long to be read to its end: every number is a least one.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>Messages that were deferred.</summary>
    public int Messages { get; private set; }

    /// <param name="lines">What <c>postqueue -j</c> prints.</param>
    /// <param name="isWhole">It printed everything.</param>
    /// <param name="lifetime">maximal_queue_lifetime.</param>
    public static WaitingMail Read(IEnumerable<string> lines, bool isWhole, TimeSpan? lifetime)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var mail = new WaitingMail(lifetime) { IsWhole = isWhole };
        var count = 0;
        foreach (var line in lines)
        {
            if (++count > MaxMessages)
            {
                mail.IsWhole = false;
                break;
            }

            mail.Add(line);
        }

        return mail;
    }

    /// <summary>What waits for the destinations that a key answers for: the domain itself, or everything below it.</summary>
    /// <param name="key">The key of an entry.</param>
    /// <returns>Null where nothing does, or where the key is no recipient's domain.</returns>
    public WaitingCount? Of(NextHop key)
    {
        if (key.IsSubdomains)
        {
            WaitingCount? all = null;
            foreach (var (domain, count) in domains)
            {
                if (domain.EndsWith(key.Text, StringComparison.OrdinalIgnoreCase))
                    all = all is null ? count : all + count;
            }

            return all;
        }

        return key.IsBracketed ? null : domains.GetValueOrDefault(key.Host);
    }

    /// <summary>The domains of the recipients for which a message waits, by its queue id; empty where none waits under it.</summary>
    public IReadOnlyList<string> DomainsOf(string queueId) => messages.TryGetValue(queueId, out var known) ? known : [];

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
        var number = string.Create(
            CultureInfo.InvariantCulture, $"{(IsWhole ? "" : "at least ")}{count.Messages} {(count.Messages == 1 ? "mail waits" : "mails wait")} since {Time(count.Oldest)}");
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

    // Addresses and reasons are other people's text; what cannot be read leaves every number a least one.
    private void Add(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement is not { ValueKind: JsonValueKind.Object } message
                || !message.TryGetProperty("recipients", out var recipients) || recipients.ValueKind != JsonValueKind.Array
                || !message.TryGetProperty("queue_name", out var queue)
                || !message.TryGetProperty("arrival_time", out var arrival) || !arrival.TryGetInt64(out var seconds) || seconds is < 0 or > LastSecond)
                return;
            var isDeferred = queue.ValueEquals(Deferred);
            var arrived = DateTimeOffset.FromUnixTimeSeconds(seconds);
            var seen = new List<string>();
            foreach (var recipient in recipients.EnumerateArray())
            {
                if (recipient.ValueKind != JsonValueKind.Object || !recipient.TryGetProperty("address", out var address) || address.GetString() is not { } text
                    || text.LastIndexOf('@') is not (>= 0 and var at) || Domain(text[(at + 1)..]) is var domain && seen.Contains(domain, StringComparer.OrdinalIgnoreCase))
                    continue;
                seen.Add(domain);
                if (isDeferred)
                    Count(domain, arrived, recipient.TryGetProperty("delay_reason", out var reason) ? reason.GetString() : null);
            }

            Messages += isDeferred ? 1 : 0;
            if (message.TryGetProperty("queue_id", out var id) && id.GetString() is { } name)
                messages[name] = seen;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            IsWhole = false;
        }
    }

    // Mail is queued under the name that was written; a key is folded to A-labels.
    private static string Domain(string text) => NextHop.TryParse(text, out var key, out _) && key.IsPlainHostName ? key.Host : text;

    private void Count(string domain, DateTimeOffset arrived, string? reason)
    {
        var one = new WaitingCount(1, arrived, reason ?? "");
        if (domains.TryGetValue(domain, out var known))
            domains[domain] = known + one;
        else if (domains.Count < MaxDomains)
            domains.Add(domain, one);
        else
            IsWhole = false;
    }
}

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
