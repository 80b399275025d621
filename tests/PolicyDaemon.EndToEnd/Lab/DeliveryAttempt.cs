using System.Text.RegularExpressions;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>What Postfix logged about one attempt to deliver one message.</summary>
/// <param name="Recipient">Whom it was for.</param>
/// <param name="Status">sent, deferred, bounced.</param>
/// <param name="Dsn">The enhanced status code, such as 4.7.5.</param>
/// <param name="Relay">Host, address and port of the last server tried, or none.</param>
/// <param name="Text">The text in parentheses at the line's end.</param>
/// <param name="Tls">The TLS connections made: Verified, Trusted, Untrusted or Anonymous, in order; empty for plain text.</param>
/// <param name="Log">All the lines of the attempt, for a person.</param>
public sealed partial record DeliveryAttempt(
    string Recipient, string Status, string Dsn, string Relay, string Text, IReadOnlyList<string> Tls, string Log)
{
    /// <summary>Asserts that the mail was delivered over one TLS connection of this kind; null for plain text.</summary>
    public void AssertSent(string? tls)
    {
        string[] expected = tls is null ? [] : [tls];
        Assert.True(Status == "sent" && Tls.SequenceEqual(expected), $"expected: sent, {tls ?? "plain text"}; the log says:\n{Log}");
    }

    /// <summary>Asserts that the mail waits, for this reason.</summary>
    /// <param name="dsn">The enhanced status code.</param>
    /// <param name="text">A part of the text behind it.</param>
    public void AssertDeferred(string dsn, string text) => Assert.True(
        Status == "deferred" && Dsn == dsn && Text.Contains(text, StringComparison.Ordinal),
        $"expected: deferred, {dsn}, {text}; the log says:\n{Log}");

    /// <summary>Reads a message's attempts, in order, out of the log.</summary>
    internal static IReadOnlyList<DeliveryAttempt> Read(IReadOnlyList<string> log, string queueId)
    {
        var reader = new Reader();
        return [.. log.Select(reader.Read).Where(read => read?.QueueId == queueId).Select(read => read!.Value.Attempt)];
    }

    /// <summary>Follows a log, line by line.</summary>
    internal sealed class Reader
    {
        // An smtp process delivers one message after another; its TLS lines do not carry the queue id.
        private readonly Dictionary<string, List<string>> _linesOfProcess = [];

        /// <summary>The attempt that ends with this line; null where none does.</summary>
        public (string QueueId, DeliveryAttempt Attempt)? Read(string line)
        {
            if (ProcessPattern().Match(line) is not { Success: true } process) return null;
            var id = process.Groups["process"].Value;
            if (!_linesOfProcess.TryGetValue(id, out var lines)) _linesOfProcess[id] = lines = [];
            lines.Add(line);
            if (DeliveryPattern().Match(line) is not { Success: true } delivery) return null;
            string[] tls = [.. lines.Select(l => TlsPattern().Match(l)).Where(m => m.Success).Select(m => m.Groups["kind"].Value)];
            var attempt = new DeliveryAttempt(
                delivery.Groups["to"].Value, delivery.Groups["status"].Value, delivery.Groups["dsn"].Value, delivery.Groups["relay"].Value,
                delivery.Groups["text"].Value, tls, string.Join('\n', lines));
            lines.Clear();
            return (delivery.Groups["queue"].Value, attempt);
        }
    }

    [GeneratedRegex(@" postfix/(?:smtp|relay|error|qmgr)[^\[]*\[(?<process>\d+)\]: ")]
    private static partial Regex ProcessPattern();

    [GeneratedRegex(@": (?<queue>\w+): to=<(?<to>[^>]*)>,.* relay=(?<relay>[^,]*),.* dsn=(?<dsn>[\d.]+),.* status=(?<status>\w+) \((?<text>.*)\)$")]
    private static partial Regex DeliveryPattern();

    [GeneratedRegex(@": (?<kind>\w+) TLS connection established to ")]
    private static partial Regex TlsPattern();
}
