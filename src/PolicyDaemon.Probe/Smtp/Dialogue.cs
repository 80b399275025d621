using System.Collections.Immutable;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>The SMTP dialogue of a probe over one connection to one target: greeting, EHLO, STARTTLS, handshake, EHLO, QUIT. Never MAIL FROM.</summary>
internal sealed class Dialogue(ProbeOptions options, TimeProvider time)
{
    private const int ServiceNotAvailable = 421; // RFC 5321 section 4.2.3

    private const int MaxRest = 64 * 1024; // of what comes behind QUIT

    // RFC 5321 section 4.1.1.10: the server closes when it has replied to QUIT, so the end comes with the reply or not at all.
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(1);

    private static readonly byte[] Quit = [.. "QUIT\r\n"u8];

    /// <param name="target">What to connect to.</param>
    /// <param name="offer">What is offered in the handshake.</param>
    /// <param name="cancellation">Ends the dialogue with an exception; every other failure is a result.</param>
    public async Task<DialogueResult> RunAsync(ProbeTarget target, TlsOffer offer, CancellationToken cancellation)
    {
        using var clock = new StageClock(options, time, cancellation);
        using var log = new DialogueLog(clock);
        var capture = new CertificateCapture(options, time);
        using var socket = new Socket(target.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        ClearTextRecorder? recorder = null;
        Exception? fault = null;
        Task? quit = null;
        PresentedCertificate? presented = null;
        var isTooOld = false;
        var isLeft = false;
        try
        {
            if (SourceFor(target.Address) is { } source)
                socket.Bind(new IPEndPoint(source, 0));
            await socket.ConnectAsync(new IPEndPoint(target.Address, target.Port), clock.Token);
            clock.Enter(ProbeStage.Greeting);
            recorder = new ClearTextRecorder(new NetworkStream(socket, ownsSocket: false), clock);
            using var client = new ProbeClient(log, options.EhloName, target.ServerName, offer, capture);
            log.HandshakeEnded = () =>
            {
                presented = Present(capture, client.Tls);
                isTooOld = client.Tls is { } tls && TlsOffer.IsTooOldToAuthenticate(tls.SslProtocol, tls.NegotiatedCipherSuite);
            };
            log.SecureHeloRefused = () =>
            {
                clock.Stop(); // as below: QUIT changes nothing of the refusal
                // Now, because MailKit disposes of the TLS stream as soon as it has read the refusal.
                quit = client.Tls?.WriteAsync(Quit, cancellation).AsTask();
            };
            await client.ConnectAsync(recorder, target.Address.ToString(), target.Port, SecureSocketOptions.StartTls, clock.Token);
            await client.DisconnectAsync(quit: true, clock.Token);
            clock.Stop();
            await AwaitEndAsync(socket, cancellation);
        }
        catch (Exception caught) when (IsExpected(caught))
        {
            cancellation.ThrowIfCancellationRequested();
            fault = caught;
            clock.Stop(); // what QUIT is answered, and whether it is, changes nothing of what the server did
            if (quit is not null)
                await LeaveAsync(_ => quit, socket, log, isEncrypted: true, cancellation);
            else if (recorder is { IsInStep: true } && !clock.HasExpired)
                isLeft = !await LeaveAsync(token => socket.SendAsync(Quit, token).AsTask(), socket, log, isEncrypted: false, cancellation);
            else if (recorder is { IsTls: false, LastCode: ServiceNotAvailable } && clock.Stage == ProbeStage.StartTls && !clock.HasExpired)
                isLeft = await ClosesAsync(socket, cancellation);
        }
        finally
        {
            clock.Stop();
            if (recorder is not null)
                await recorder.DisposeAsync();
        }

        var (met, why) = Classify(clock, recorder, presented, isTooOld, fault);
        // A server that refuses STARTTLS and closes, as RFC 5321 section 3.8 has it for 421, takes no mail in the clear either.
        if (met == ProbeOutcome.StartTlsRefused && isLeft)
            met = ProbeOutcome.ConnectionLost;
        var (outcome, detail) = recorder is { Injected: true } ? (ProbeOutcome.PlaintextInjected, "octets in the clear behind the 220 to STARTTLS") : (met, why);
        return new DialogueResult(
            outcome, met, clock.Stage, detail, recorder is { LastCode: > 0 } ? recorder.LastCode : null,
            AfterHandshake(clock, log, fault), presented, recorder?.Alert, [.. clock.Timings], [.. log.Lines]);
    }

    /// <summary>Takes leave where there is nothing more to say; MailKit, which gives the connection up, does not.</summary>
    /// <param name="quit">Sends QUIT, or has.</param>
    /// <param name="socket">The connection.</param>
    /// <param name="log">Takes the end of the transcript.</param>
    /// <param name="isEncrypted">True over TLS, where the reply can no longer be read, only awaited.</param>
    /// <param name="cancellation">Ends the dialogue.</param>
    /// <returns>False where the server had closed the connection, or does so without a reply.</returns>
    private async Task<bool> LeaveAsync(Func<CancellationToken, Task> quit, Socket socket, DialogueLog log, bool isEncrypted, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(options.QuitTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            await quit(either.Token).WaitAsync(either.Token);
            log.Note("C: QUIT");
            var reply = new byte[512];
            var count = await socket.ReceiveAsync(reply, either.Token);
            if (count > 0 && !isEncrypted)
                log.Note("S: " + PeerText.Escape(reply.AsSpan(0, count).TrimEnd("\r\n"u8)));
            await AwaitEndAsync(socket, cancellation);
            return count > 0;
        }
        catch (Exception fault) when (fault is SocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return fault is OperationCanceledException;
        }
    }

    /// <summary>Whether the server closes the connection by itself, as 421 announces.</summary>
    private async Task<bool> ClosesAsync(Socket socket, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(options.QuitTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            return await socket.ReceiveAsync(new byte[1], either.Token) == 0;
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            return fault is SocketException;
        }
        catch (OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return false;
        }
    }

    /// <summary>Lets the server close first, behind its reply to QUIT: what it still sends, such as the end of TLS, would be answered with a
    /// reset, and a server finds that worth a line in its log.</summary>
    private async Task AwaitEndAsync(Socket socket, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(EndTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            // A server that waits for more sees that none comes.
            socket.Shutdown(SocketShutdown.Send);
            var rest = new byte[512];
            for (int octets = 0, count = 1; count > 0 && octets < MaxRest; octets += count)
                count = await socket.ReceiveAsync(rest, either.Token);
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>How EHLO over TLS ended; from QUIT on nothing matters any more.</summary>
    private static ProbeOutcome AfterHandshake(StageClock clock, DialogueLog log, Exception? fault) => fault switch
    {
        // To 421, Postfix does not say HELO, MailKit does.
        _ when log.SecureEhloCode == ServiceNotAvailable => ProbeOutcome.GreetingTemporary,
        _ when clock.Stage != ProbeStage.SecureEhlo => ProbeOutcome.Secured,
        null => ProbeOutcome.Secured,
        _ when clock.HasExpired => ProbeOutcome.Timeout,
        SmtpCommandException { StatusCode: var code } => IsTemporary((int)code) ? ProbeOutcome.GreetingTemporary : ProbeOutcome.EhloRefused,
        _ => ProbeOutcome.ConnectionLost,
    };

    private IPAddress? SourceFor(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork ? options.SourceAddress : options.SourceAddress6;

    private static PresentedCertificate? Present(CertificateCapture capture, SslStream? tls) =>
        capture.Certificate is { } certificate
            ? new PresentedCertificate(
                certificate, capture.Intermediates, capture.Verdict, capture.Detail, VersionName(tls?.SslProtocol),
                tls?.NegotiatedCipherSuite.ToString() ?? "")
            : null;

    // SYSLIB0039, CA5397: naming an old version is not using it.
#pragma warning disable SYSLIB0039, CA5397
    private static string VersionName(SslProtocols? version) => version switch
    {
        SslProtocols.Tls => "TLSv1",
        SslProtocols.Tls11 => "TLSv1.1",
        SslProtocols.Tls12 => "TLSv1.2",
        SslProtocols.Tls13 => "TLSv1.3",
        _ => "",
    };
#pragma warning restore SYSLIB0039, CA5397

    private static bool IsExpected(Exception fault) =>
        fault is OperationCanceledException or SocketException or IOException or ProtocolException or CommandException
            or SslHandshakeException or System.Security.Authentication.AuthenticationException or NotSupportedException or InvalidOperationException;

    private static (ProbeOutcome Outcome, string? Detail) Classify(
        StageClock clock, ClearTextRecorder? recorder, PresentedCertificate? presented, bool isTooOld, Exception? fault)
    {
        if (clock.Stage >= ProbeStage.SecureEhlo && presented is null)
            return (ProbeOutcome.TlsAnonymous, "the handshake showed no certificate");
        if (clock.Stage >= ProbeStage.SecureEhlo && isTooOld)
            return (ProbeOutcome.TlsTooOld, $"{presented!.TlsVersion} {presented.Cipher}");
        // What happens once the certificate has been seen and the handshake is over says nothing about it.
        if (clock.Stage >= ProbeStage.SecureEhlo && presented is not null)
            return (ProbeOutcome.Secured, fault is null ? null : $"after the handshake: {Message(fault)}");
        if (recorder?.Violation is { } violation)
            return (violation, recorder.LastLine);
        if (clock.HasExpired && recorder is { EndedInNonsense: true })
            return (ProbeOutcome.ProtocolError, recorder.LastLine);
        if (clock.HasExpired)
            return (ProbeOutcome.Timeout, $"no end of {clock.Stage.Name()} in time");
        if (recorder is null)
            return ConnectFault(fault);
        if (recorder.IsTls)
        {
            return recorder.TlsOctets == 0 && (recorder.SawEnd || Innermost(fault) is IOException or SocketException)
                ? (ProbeOutcome.ConnectionLost, "the connection ended before the handshake began")
                : (ProbeOutcome.HandshakeFailed, Message(fault));
        }

        return ReplyFault(clock.Stage, recorder, fault);
    }

    private static (ProbeOutcome Outcome, string? Detail) ConnectFault(Exception? fault) => (fault as SocketException)?.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => (ProbeOutcome.ConnectionRefused, "connection refused"),
        SocketError.ConnectionReset => (ProbeOutcome.ConnectionLost, "connection reset"),
        SocketError.TimedOut => (ProbeOutcome.Timeout, "connection timed out"),
        _ => (ProbeOutcome.Unreachable, Message(fault)),
    };

    // The innermost says what OpenSSL or the system said; the others that something went wrong.
    private static string? Message(Exception? fault) => Innermost(fault) is { } innermost ? PeerText.Escape(innermost.Message) : null;

    private static Exception? Innermost(Exception? fault)
    {
        while (fault?.InnerException is { } inner)
            fault = inner;
        return fault;
    }

    private static (ProbeOutcome Outcome, string? Detail) ReplyFault(ProbeStage stage, ClearTextRecorder recorder, Exception? fault)
    {
        if (recorder.EndedInNonsense)
            return (ProbeOutcome.ProtocolError, recorder.LastLine);
        if (recorder.SawEnd || fault is IOException or SmtpProtocolException { InnerException: IOException })
            return (IsTemporary(recorder.LastCode) ? ProbeOutcome.GreetingTemporary : ProbeOutcome.ConnectionLost, recorder.LastLine);
        switch (stage)
        {
            // To 421, Postfix does not say HELO.
            case ProbeStage.Ehlo when recorder.EhloCode == ServiceNotAvailable:
            case ProbeStage.Greeting or ProbeStage.Ehlo when IsTemporary(recorder.LastCode):
                return (ProbeOutcome.GreetingTemporary, recorder.LastLine);
            case ProbeStage.Greeting when recorder.LastCode >= 500:
                return (ProbeOutcome.GreetingPermanent, recorder.LastLine);
            case ProbeStage.Ehlo when fault is NotSupportedException:
                return (ProbeOutcome.StartTlsNotSupported, recorder.HiddenStartTls
                    ?? (recorder.EhloCode is >= 200 and < 300 ? "EHLO does not offer STARTTLS" : "EHLO is refused; HELO offers no STARTTLS"));
            case ProbeStage.Ehlo when recorder.LastCode >= 500:
                return (ProbeOutcome.EhloRefused, recorder.LastLine);
            case ProbeStage.StartTls:
                return (ProbeOutcome.StartTlsRefused, recorder.LastLine);
            default:
                return (ProbeOutcome.ProtocolError, Message(fault) ?? recorder.LastLine);
        }
    }

    private static bool IsTemporary(int code) => code is >= 400 and < 500;
}

/// <summary>The result of one dialogue, classified.</summary>
/// <param name="Met">The outcome apart from text in the clear behind STARTTLS: what mail meets.</param>
/// <param name="AfterHandshake">The outcome of EHLO over TLS: secured where mail could go on, and where the dialogue did not come that far.</param>
/// <param name="Alert">The TLS alert that the server sent instead of a handshake; null where it sent none.</param>
internal sealed record DialogueResult(
    ProbeOutcome Outcome, ProbeOutcome Met, ProbeStage Stage, string? Detail, int? ReplyCode, ProbeOutcome AfterHandshake, PresentedCertificate? Presented, int? Alert,
    ImmutableArray<StageTiming> Timings, ImmutableArray<string> Transcript);
