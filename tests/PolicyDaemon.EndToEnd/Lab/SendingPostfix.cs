using System.Globalization;
using System.Text.RegularExpressions;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>The Postfix under our policy: it sends what the tests give it, at the level that its policy map answers.</summary>
/// <param name="sandbox">Where it runs.</param>
/// <param name="name">A folder of this name in the sandbox has its configuration, queue and log.</param>
public sealed partial class SendingPostfix(Sandbox sandbox, string name = "sender")
{
    /// <summary>The services every Postfix of the laboratory has. SMTP clients run chrooted, as Debian ships them.</summary>
    internal const string CommonServices = """
        pickup    unix  n - n 60    1 pickup
        cleanup   unix  n - n -     0 cleanup
        qmgr      unix  n - n 300   1 qmgr
        tlsmgr    unix  - - n 1000? 1 tlsmgr
        rewrite   unix  - - n -     - trivial-rewrite
        bounce    unix  - - n -     0 bounce
        defer     unix  - - n -     0 bounce
        trace     unix  - - n -     0 bounce
        verify    unix  - - n -     1 verify
        flush     unix  n - n 1000? 0 flush
        proxymap  unix  - - n -     - proxymap
        proxywrite unix - - n -     1 proxymap
        smtp      unix  - - y -     - smtp
        relay     unix  - - y -     - smtp
        showq     unix  n - n -     - showq
        error     unix  - - n -     - error
        retry     unix  - - n -     - error
        discard   unix  - - n -     - discard
        anvil     unix  - - n -     1 anvil
        scache    unix  - - n -     1 scache
        tlsproxy  unix  - - n -     0 tlsproxy
        postlog   unix-dgram n - n - 1 postlogd

        """;

    private readonly PostfixInstance _postfix =
        new(sandbox, name, (command, input) => sandbox.RunAsync(command, input));

    private int _messages;

    public PostfixInstance Instance => _postfix;

    public LogFile Log => _postfix.Log;

    /// <summary>Gives Postfix a message; <see cref="OutcomeAsync"/> tells what becomes of it.</summary>
    public async Task<SentMessage> SendAsync(string recipient)
    {
        var messageId = string.Create(CultureInfo.InvariantCulture, $"{++_messages}.{Guid.NewGuid():N}@sender.plain.test");
        var text = $"From: tester@sender.plain.test\nTo: {recipient}\nMessage-ID: <{messageId}>\nSubject: story\n\nHello.\n";
        (await _postfix.RunWithInputAsync(
            text, "sendmail", "-C", _postfix.Configuration, "-f", "tester@sender.plain.test", "-i", recipient)).Require();
        var queueId = await Until.ResultAsync(
            $"the message to {recipient} is queued", () => Task.FromResult(QueueIdOf(messageId)), () => Log.Tail);
        return new SentMessage(queueId, messageId);
    }

    /// <summary>Awaits the next delivery attempt which the test has not seen yet.</summary>
    public async Task<DeliveryAttempt> OutcomeAsync(SentMessage message)
    {
        var attempt = await Until.ResultAsync(
            $"Postfix tries {message.QueueId}",
            () => Task.FromResult(DeliveryAttempt.Read(Log.Lines, message.QueueId).ElementAtOrDefault(message.AttemptsSeen)),
            () => Log.Tail);
        message.AttemptsSeen++;
        return attempt;
    }

    /// <summary>Sends a message and awaits its first delivery attempt.</summary>
    public async Task<DeliveryAttempt> DeliverAsync(string recipient) => await OutcomeAsync(await SendAsync(recipient));

    /// <summary>Lets Postfix try a deferred message again, now.</summary>
    public async Task<DeliveryAttempt> RetryAsync(SentMessage message)
    {
        await FlushAsync(message.QueueId);
        return await OutcomeAsync(message);
    }

    /// <summary>Empties the queue, so that one story's mail does not reach the next story's servers.</summary>
    public async Task ForgetAllAsync() => (await _postfix.RunAsync("postsuper", "-d", "ALL")).Require();

    /// <summary>Stops Postfix; what waits stays in its queue.</summary>
    public async Task StopAsync() => (await _postfix.RunAsync("postfix", "stop")).Require();

    /// <summary>Every delivery attempt that the log has, to whomever.</summary>
    public IReadOnlyList<DeliveryAttempt> Attempts
    {
        get
        {
            var reader = new DeliveryAttempt.Reader();
            return [.. Log.Lines.Select(reader.Read).Where(read => read is not null).Select(read => read!.Value.Attempt)];
        }
    }

    /// <summary>Changes smtp_tls_policy_maps of the running Postfix.</summary>
    public async Task UsePolicyMapsAsync(string maps)
    {
        await _postfix.ConfigureAsync("smtp_tls_policy_maps = " + maps);
        await _postfix.ReloadAsync();
    }

    /// <summary><c>postmap -q</c>: exit code 0 and the value, or 1 for "not found" and also for errors, which are on stderr.</summary>
    public Task<CommandResult> LookupAsync(string key, string table) => _postfix.RunAsync("postmap", "-q", key, table);

    /// <summary>Sends one message to many recipients and awaits the first attempt of each.</summary>
    /// <returns>The attempts by recipient.</returns>
    public async Task<IReadOnlyDictionary<string, DeliveryAttempt>> DeliverAllAsync(IReadOnlyList<string> recipients)
    {
        var messageId = await SubmitAsync(recipients);
        var queueId = await Until.ResultAsync($"{messageId} is queued", () => Task.FromResult(QueueIdOf(messageId)), () => Log.Tail);
        Dictionary<string, DeliveryAttempt> attempts = [];
        await Until.TrueAsync("Postfix has tried every recipient", () =>
        {
            attempts = DeliveryAttempt.Read(Log.Lines, queueId).GroupBy(attempt => attempt.Recipient).ToDictionary(tried => tried.Key, tried => tried.First());
            return Task.FromResult(attempts.Count >= recipients.Count);
        }, () => $"missing: {string.Join(", ", recipients.Except(attempts.Keys))}\n{Log.Tail}");
        return attempts;
    }

    /// <summary>Gives Postfix one message for several recipients, from nobody: what comes back is dropped.</summary>
    /// <returns>Its Message-ID.</returns>
    internal async Task<string> SubmitAsync(IReadOnlyList<string> recipients)
    {
        var messageId = $"{Guid.NewGuid():N}@sender.plain.test";
        var text = $"From: tester@sender.plain.test\nMessage-ID: <{messageId}>\nSubject: story\n\nHello.\n";
        (await _postfix.RunWithInputAsync(text, "sendmail", ["-C", _postfix.Configuration, "-f", "<>", "-i", .. recipients])).Require();
        return messageId;
    }

    /// <summary>The queue id and the Message-ID where a line of the log names both.</summary>
    internal static (string QueueId, string MessageId)? Queued(string line) => QueuedPattern().Match(line) is { Success: true } match
        ? (match.Groups["queue"].Value, match.Groups["message"].Value)
        : null;

    /// <summary>Lets Postfix try a deferred message again, now, without waiting for what becomes of it.</summary>
    internal async Task FlushAsync(string queueId)
    {
        // The message is in the deferred queue a moment after its attempt was logged; a flush before that finds nothing.
        await Until.TrueAsync(
            $"{queueId} is deferred",
            () => Task.FromResult(Directory.EnumerateFiles(
                Path.Combine(_postfix.Queue, "deferred"), queueId, SearchOption.AllDirectories).Any()),
            () => Log.Tail);
        (await _postfix.RunAsync("postqueue", "-i", queueId)).Require();
    }

    /// <param name="policyMaps">smtp_tls_policy_maps.</param>
    /// <param name="authorityFile">smtp_tls_CAfile.</param>
    /// <param name="settings">Further lines of main.cf.</param>
    /// <param name="services">Further lines of master.cf.</param>
    internal async Task StartAsync(string policyMaps, string authorityFile, string settings = "", string services = "")
    {
        // What a chrooted client of Debian finds in its jail (configure-instance.sh copies the same files).
        var jail = Directory.CreateDirectory(Path.Combine(_postfix.Queue, "etc")).FullName;
        foreach (var file in new[] { "resolv.conf", "hosts", "nsswitch.conf" })
            File.Copy(Path.Combine(sandbox.Folder, "etc", file), Path.Combine(jail, file));
        File.Copy("/etc/services", Path.Combine(jail, "services"));

        await File.WriteAllTextAsync(TransportFile, "");
        await _postfix.StartAsync($"""
            myhostname = sender.plain.test
            inet_interfaces = 127.0.0.1
            mynetworks = 127.0.0.0/8
            default_transport = smtp
            relayhost =
            transport_maps = texthash:{TransportFile}
            smtp_tls_security_level = may
            smtp_tls_policy_maps = {policyMaps}
            smtp_tls_fingerprint_digest = sha256
            smtp_tls_CAfile = {authorityFile}
            smtp_tls_loglevel = 1
            smtp_dns_support_level = dnssec
            smtp_connection_cache_on_demand = no
            smtp_address_preference = ipv4
            smtp_connect_timeout = 5s
            # A failed delivery must not make Postfix skip the next story's.
            smtp_destination_concurrency_failed_cohort_limit = 0
            # Retried when the test says so.
            minimal_backoff_time = 1h
            maximal_backoff_time = 1h
            {settings}

            """, CommonServices + services);
    }

    /// <summary>Replaces the transport table (lines of destination, blank, <c>smtp:next-hop</c>).</summary>
    public async Task RouteAsync(params string[] lines)
    {
        await File.WriteAllLinesAsync(TransportFile, lines);
        PostfixInstance.Settle(TransportFile);
        // Postfix reads a text table once.
        await _postfix.ReloadAsync();
    }

    private string TransportFile => Path.Combine(_postfix.Folder, "transport");

    private string? QueueIdOf(string messageId) => Log.Lines
        .Select(Queued).FirstOrDefault(queued => queued?.MessageId == messageId)?.QueueId;

    [GeneratedRegex(@" postfix/cleanup\[\d+\]: (?<queue>\w+): message-id=<(?<message>[^>]*)>$")]
    private static partial Regex QueuedPattern();
}
