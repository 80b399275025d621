using System.Text.Json;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>What <c>policyctl</c> says of a daemon's prober, awaited.</summary>
public sealed class Prober(Policyd policyd) : IAsyncDisposable
{
    public Policyd Policyd => policyd;

    /// <summary>Adds a destination at the level of fingerprint.</summary>
    /// <param name="key">The destination.</param>
    /// <param name="pins">Its pins.</param>
    /// <param name="options">Further options of <c>domain add</c>.</param>
    public Task PinAsync(string key, IEnumerable<string> pins, params string[] options) =>
        policyd.DoAsync(["domain", "add", key, "--level", "fingerprint", .. pins.SelectMany(pin => new[] { "--match", pin }), .. options]);

    /// <summary>The state of a pin, by its name in policyctl(8); null where there is no such pin.</summary>
    public async Task<string?> StateAsync(string key, string fingerprint) => (await PinAsync(key, fingerprint))?.GetProperty("state").GetString();

    /// <summary>What the pin is trusted for; null where there is no such pin.</summary>
    public async Task<string?> StrengthAsync(string key, string fingerprint) =>
        (await PinAsync(key, fingerprint))?.GetProperty("strength").GetString();

    /// <summary>Since when a pin has been in its state.</summary>
    public async Task<DateTimeOffset> SinceAsync(string key, string fingerprint) =>
        (await PinAsync(key, fingerprint))!.Value.GetProperty("since").GetDateTimeOffset();

    /// <summary>Waits until a pin is in this state.</summary>
    public Task AwaitStateAsync(string key, string fingerprint, string state) => Until.TrueAsync(
        $"the pin {fingerprint} of {key} is {state}", async () => await StateAsync(key, fingerprint) == state, () => Tell(key));

    /// <summary>The verdict of <c>domain show</c>; null before there is one.</summary>
    public async Task<string?> VerdictAsync(string key)
    {
        var probed = (await policyd.JsonAsync("domain", "show", key)).GetProperty("probed");
        return probed.ValueKind == JsonValueKind.Null ? null : probed.GetProperty("verdict").GetString();
    }

    /// <summary>Waits until the verdict of a destination is this.</summary>
    public Task AwaitVerdictAsync(string key, string verdict) => Until.TrueAsync(
        $"the verdict of {key} is {verdict}", async () => await VerdictAsync(key) == verdict, () => Tell(key));

    /// <summary>The open findings of <c>status</c> of this kind about this subject, whole.</summary>
    /// <param name="kind">Its name in policyctl(8).</param>
    /// <param name="subject">A key, or null for any.</param>
    public async Task<IReadOnlyList<JsonElement>> FindingsAsync(string kind, string? subject = null) =>
    [
        .. (await policyd.JsonAsync("status")).GetProperty("findings").EnumerateArray().Where(finding =>
            finding.GetProperty("kind").GetString() == kind && (subject is null || finding.GetProperty("subject").GetString() == subject)),
    ];

    /// <summary>Waits for a finding.</summary>
    public async Task<JsonElement> AwaitFindingAsync(string kind, string? subject = null)
    {
        IReadOnlyList<JsonElement> findings = [];
        await Until.TrueAsync(
            $"there is a finding {kind} about {subject ?? "anything"}", async () => (findings = await FindingsAsync(kind, subject)).Count > 0,
            () => Tell(subject));
        return findings[0];
    }

    /// <summary>Waits until there is no such finding any more.</summary>
    public Task AwaitNoFindingAsync(string kind, string? subject = null) => Until.TrueAsync(
        $"there is no finding {kind} about {subject ?? "anything"}", async () => (await FindingsAsync(kind, subject)).Count == 0,
        () => Tell(subject));

    /// <summary>Waits until a server was connected to so often again.</summary>
    public static Task AwaitProbesAsync(ScriptedServer server, int more)
    {
        ArgumentNullException.ThrowIfNull(server);
        var before = server.Connections;
        return Until.TrueAsync($"{server.Address} was connected to {more} times more", () => Task.FromResult(server.Connections >= before + more));
    }

    /// <summary>The answer that Postfix gets now, without its status word.</summary>
    public async Task<string> AnswerAsync(string key) => await policyd.AskAsync("tlspolicy", key) ?? "no answer";

    /// <summary>The answer at the level of fingerprint with these pins and no other, in the order of the text.</summary>
    public static string Answer(params string[] pins) => "OK fingerprint " + string.Join(' ', pins.Order(StringComparer.Ordinal).Select(pin => "match=" + pin));

    /// <summary>Waits until the answer consists of these pins and no other.</summary>
    public Task AwaitAnswerAsync(string key, params string[] pins) => Until.TrueAsync(
        $"the pins served for {key} are {string.Join(' ', pins)}", async () => Pins(await AnswerAsync(key)).SetEquals(pins), () => Tell(key));

    /// <summary>Asserts that the answer consists of these pins and no other.</summary>
    public async Task AssertAnswerAsync(string key, params string[] pins)
    {
        var answer = await AnswerAsync(key);
        Assert.True(Pins(answer).SetEquals(pins), $"expected the pins {string.Join(' ', pins)} for {key}, not: {answer}\n{await TellAsync(key)}");
    }

    /// <summary>The first property of this name, anywhere in a JSON text, that is not null.</summary>
    public static JsonElement? Find(JsonElement json, string name) => All(json, name).Cast<JsonElement?>().FirstOrDefault();

    /// <summary>Every property of this name, anywhere in a JSON text, that is not null.</summary>
    public static IEnumerable<JsonElement> All(JsonElement json, string name) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().SelectMany(property =>
            property.Name == name && property.Value.ValueKind != JsonValueKind.Null ? All(property.Value, name).Prepend(property.Value) : All(property.Value, name)),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(element => All(element, name)),
        _ => [],
    };

    /// <summary>All there is to know, for the message of a failure.</summary>
    public async Task<string> TellAsync(string? key) => string.Join('\n',
        key is null ? "" : await policyd.CtlAsync("domain", "show", key),
        key is null ? "" : await policyd.CtlAsync("audit", key),
        await policyd.CtlAsync("status", "--all"),
        policyd.Said);

    /// <summary>The same, where nothing can be awaited.</summary>
    public string Tell(string? key) => Task.Run(() => TellAsync(key)).GetAwaiter().GetResult();

    public ValueTask DisposeAsync() => policyd.DisposeAsync();

    private async Task<JsonElement?> PinAsync(string key, string fingerprint)
    {
        foreach (var row in (await policyd.JsonAsync("pin", "list", key)).EnumerateArray())
        {
            var pin = row.GetProperty("pin");
            if (pin.GetProperty("fingerprint").GetString() == fingerprint) return pin;
        }

        return null;
    }

    private static HashSet<string> Pins(string answer) => answer.StartsWith("OK fingerprint ", StringComparison.Ordinal)
        ? [.. answer.Split(' ').Where(word => word.StartsWith("match=", StringComparison.Ordinal))
            .SelectMany(word => word["match=".Length..].Split('|'))
            .Select(pin => pin.Replace(":", "", StringComparison.Ordinal).ToLowerInvariant())]
        : [answer];
}
