using System.Globalization;
using MailKit;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>MailKit's protocol log: keeps the transcript, and tells the stage clock which command began which stage.</summary>
internal sealed class DialogueLog(StageClock clock) : IProtocolLogger
{
    private const int MaxLines = 100;
    private const int ServiceNotAvailable = 421; // RFC 5321 section 4.2.3: it closes by itself

    private readonly List<string> lines = [];
    private readonly List<byte> helo = [];
    private bool isSecure;
    private bool awaitsHelo;

    /// <summary>The code of the reply to EHLO over TLS; 0 before it.</summary>
    public int SecureEhloCode { get; private set; }

    public IReadOnlyList<string> Lines => lines;

    /// <summary>Called when the handshake is finished and no command was sent over TLS yet: in TLS 1.3 a server that refuses the client says so only now.</summary>
    public Action HandshakeEnded { get; set; } = () => { };

    /// <summary>Called when HELO over TLS, which follows EHLO where that is refused, is refused as well; what MailKit does next is to give up.</summary>
    public Action SecureHeloRefused { get; set; } = () => { };

    public IAuthenticationSecretDetector? AuthenticationSecretDetector { get; set; }

    public void LogConnect(Uri uri)
    {
    }

    public void LogClient(byte[] buffer, int offset, int count)
    {
        var text = buffer.AsSpan(offset, count);
        if (text.StartsWith("EHLO"u8) || text.StartsWith("HELO"u8))
        {
            // MailKit says EHLO again once TLS runs (RFC 3207 section 4.2).
            if (!isSecure && clock.Stage >= ProbeStage.Handshake)
            {
                isSecure = true;
                HandshakeEnded();
            }

            awaitsHelo = isSecure && text[0] == 'H';
            clock.Enter(isSecure ? ProbeStage.SecureEhlo : ProbeStage.Ehlo);
        }
        else if (text.StartsWith("STARTTLS"u8))
        {
            clock.Enter(ProbeStage.StartTls);
        }
        else if (text.StartsWith("QUIT"u8))
        {
            clock.Enter(ProbeStage.Quit);
        }

        Add("C: ", text);
    }

    public void LogServer(byte[] buffer, int offset, int count)
    {
        var text = buffer.AsSpan(offset, count);
        if (isSecure && SecureEhloCode == 0 && count >= 3 && int.TryParse(text[..3], NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            SecureEhloCode = code;
        Add("S: ", text);
        if (awaitsHelo)
            FollowHelo(text);
    }

    /// <summary>Adds a line that went past MailKit.</summary>
    public void Note(string line)
    {
        if (lines.Count < MaxLines)
            lines.Add(line);
    }

    public void Dispose()
    {
    }

    private void FollowHelo(ReadOnlySpan<byte> text)
    {
        helo.AddRange(text);
        if (helo is not [.., (byte)'\n'])
            return;
        var reply = helo.ToArray().AsSpan().TrimEnd("\r\n"u8);
        var last = reply[(reply.LastIndexOf((byte)'\n') + 1)..];
        // RFC 5321 section 4.2.1: a hyphen behind the code says that more lines follow.
        if (last.Length < 3 || (last.Length > 3 && last[3] != ' ') || !int.TryParse(last[..3], NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            return;
        awaitsHelo = false;
        if (code is >= 400 and not ServiceNotAvailable)
            SecureHeloRefused();
    }

    private void Add(string who, ReadOnlySpan<byte> text)
    {
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range].TrimEnd((byte)'\r');
            if (!line.IsEmpty && lines.Count < MaxLines)
                lines.Add(who + PeerText.Escape(line));
        }
    }
}
