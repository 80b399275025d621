using System.Text.Json;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Deliveries;

/// <summary>Reads what <c>postqueue -j</c> prints, octet by octet as it comes: of a queue of any length no more is kept than is counted.</summary>
/// <remarks>
/// <code>
/// {"queue_name": "deferred", "queue_id": …, "arrival_time": 1795961977, …, "recipients": [{"address": "user@example.com", "delay_reason": "…"}]}
/// </code>
/// One object a line; postqueue(1), JSON OBJECT FORMAT. What cannot be read, or is beyond a limit, makes every number a least one.
/// </remarks>
public sealed class WaitingMailReader(TimeSpan? lifetime)
{
    /// <summary>Octets that are read at most.</summary>
    public const long MaxOctets = 512L * 1024 * 1024;

    /// <summary>Octets of one message at most: some ten thousand recipients.</summary>
    public const int MaxLine = 4 * 1024 * 1024;

    /// <summary>Domains of one message that are counted.</summary>
    public const int MaxDomainsOfMessage = 1000;

    private const int MaxDomains = 500_000; // of all messages together
    private const int MaxName = 255; // octets of a domain name, RFC 1035 section 2.3.4
    private const int MaxReason = 500;
    private const string Deferred = "deferred";
    private const long LastSecond = 253_402_300_799; // the year 9999 ends

    private readonly WaitingMail mail = new(lifetime);
    private readonly Dictionary<string, string> names = new(StringComparer.Ordinal);
    private byte[] line = new byte[4096];
    private int filled;
    private bool isTooLong;
    private long octets;
    private long pairs;
    private int messages;

    /// <summary>False once a limit is reached: what follows is not read.</summary>
    public bool TakesMore => octets < MaxOctets && messages < WaitingMail.MaxMessages && pairs < MaxDomains;

    /// <summary>Takes the next octets of the output, cut wherever it may be.</summary>
    public void Take(ReadOnlySpan<byte> output)
    {
        while (!output.IsEmpty && TakesMore)
        {
            var end = output.IndexOf((byte)'\n');
            var part = end < 0 ? output : output[..end];
            octets += part.Length + (end < 0 ? 0 : 1);
            Keep(part);
            if (end < 0)
                return;
            EndLine();
            output = output[(end + 1)..];
        }

        if (!output.IsEmpty)
            mail.IsWhole = false;
    }

    /// <param name="isWhole">The output was read to its end, and it printed everything.</param>
    /// <returns>What waits.</returns>
    public WaitingMail End(bool isWhole)
    {
        EndLine();
        mail.IsWhole &= isWhole;
        return mail;
    }

    private void Keep(ReadOnlySpan<byte> part)
    {
        if (isTooLong || filled + part.Length > MaxLine)
        {
            isTooLong = true;
            return;
        }

        if (filled + part.Length > line.Length)
            Array.Resize(ref line, Math.Min(MaxLine, Math.Max(2 * line.Length, filled + part.Length)));
        part.CopyTo(line.AsSpan(filled));
        filled += part.Length;
    }

    private void EndLine()
    {
        if (isTooLong)
            mail.IsWhole = false;
        else if (line.AsSpan(0, filled).ContainsAnyExcept(" \t\r"u8))
            TakeMessage(line.AsSpan(0, filled));
        (filled, isTooLong) = (0, false);
    }

    // Addresses and reasons are other people's text; what cannot be read leaves every number a least one.
    private void TakeMessage(ReadOnlySpan<byte> text)
    {
        messages++;
        try
        {
            var reader = new Utf8JsonReader(text);
            using var document = JsonDocument.ParseValue(ref reader);
            mail.IsWhole &= !reader.Read() && TryTake(document.RootElement);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            mail.IsWhole = false;
        }
    }

    /// <returns>False where the message, or a recipient of it, is not as Postfix writes them.</returns>
    private bool TryTake(JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object
            || !message.TryGetProperty("recipients", out var recipients) || recipients.ValueKind != JsonValueKind.Array
            || !message.TryGetProperty("queue_name", out var queue)
            || !message.TryGetProperty("arrival_time", out var arrival) || !arrival.TryGetInt64(out var seconds) || seconds is < 0 or > LastSecond)
            return false;
        var isDeferred = queue.ValueEquals(Deferred);
        var arrived = DateTimeOffset.FromUnixTimeSeconds(seconds);
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var isWhole = true;
        foreach (var recipient in recipients.EnumerateArray())
        {
            if (recipient.ValueKind != JsonValueKind.Object || !recipient.TryGetProperty("address", out var address) || address.GetString() is not { } to)
            {
                isWhole = false;
                continue;
            }

            // Without a domain, or with a longer one than there is, it is no key's mail.
            if (to.LastIndexOf('@') is not (>= 0 and var at) || to.Length - at - 1 > MaxName || Domain(to[(at + 1)..]) is var domain && found.ContainsKey(domain))
                continue;
            if (found.Count >= MaxDomainsOfMessage || pairs >= MaxDomains)
            {
                isWhole = false;
                break;
            }

            found.Add(domain, recipient.TryGetProperty("delay_reason", out var reason) ? Cut(reason.GetString() ?? "") : "");
            pairs++;
        }

        var id = message.TryGetProperty("queue_id", out var named) ? named.GetString() ?? "" : "";
        mail.Add(new WaitingMessage(id.Length <= MaxName ? id : "", [.. found.Keys], isDeferred), arrived, found.Values);
        return isWhole;
    }

    private static string Cut(string reason) => reason.Length <= MaxReason ? reason : reason[..MaxReason] + "...";

    // Mail is queued under the name that was written; a key is folded to A-labels. Most messages go to few domains, whose names are kept once.
    private string Domain(string text)
    {
        if (names.TryGetValue(text, out var known))
            return known;
        var domain = NextHop.TryParse(text, out var key, out _) && key.IsPlainHostName ? key.Host : text;
        if (names.Count < MaxDomains)
            names.Add(text, domain);
        return domain;
    }
}
