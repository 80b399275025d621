using MailKit;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>MailKit's protocol log: the transcript, and the commands by which a stage begins.</summary>
internal sealed class DialogueLog(StageClock clock) : IProtocolLogger
{
    private const int MaxLines = 100;

    private readonly List<string> lines = [];
    private bool isSecure;

    public IReadOnlyList<string> Lines => lines;

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
            isSecure |= clock.Stage >= ProbeStage.Handshake;
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

    public void LogServer(byte[] buffer, int offset, int count) => Add("S: ", buffer.AsSpan(offset, count));

    public void Dispose()
    {
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
