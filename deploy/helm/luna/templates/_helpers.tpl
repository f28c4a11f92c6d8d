{{- define "luna.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "luna.fullname" -}}
{{- $name := include "luna.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What never changes, for selectors: (list . "http"). */}}
{{- define "luna.selector" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ include "luna.name" $ }}
app.kubernetes.io/instance: {{ $.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "luna.labels" -}}
{{- $ := index . 0 -}}
{{ include "luna.selector" . }}
app.kubernetes.io/part-of: luna
app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Waves of Argo CD: what others need, the migration, everything else (0). Helm itself does not look at them. */}}
{{- define "luna.first" -}}
argocd.argoproj.io/sync-wave: "-2"
{{- end }}

{{/* (list . .Values.image.http) */}}
{{- define "luna.image" -}}
{{- $ := index . 0 }}
{{- $image := index . 1 }}
{{- with $.Values.image.registry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* The "restricted" Pod Security Standard: (list UID) for a pod. */}}
{{- define "luna.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ index . 0 }}
runAsGroup: {{ index . 0 }}
fsGroup: {{ index . 0 }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "luna.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* What all pods say before their containers: (list . UID). None of them talks to Kubernetes. */}}
{{- define "luna.pod" -}}
{{- $ := index . 0 -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- include "luna.podSecurity" (list (index . 1)) | nindent 2 }}
{{- end }}

{{- define "luna.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "luna.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "luna.secret" -}}
{{- .Values.secrets.existing | default (include "luna.fullname" .) }}
{{- end }}

{{/* The keys that the Secret has, comma separated. */}}
{{- define "luna.secretKeys" -}}
{{- $keys := list "LUNA_DATABASE_URL" "LUNA_JWT_SECRET" "LUNA_IDENTITY_KEY" }}
{{- if .Values.secrets.storageKeys }}{{ $keys = concat $keys (list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY") }}{{ end }}
{{- if .Values.secrets.adminPassword }}{{ $keys = append $keys "admin-password" }}{{ end }}
{{- if .Values.database.bundled.enabled }}{{ $keys = append $keys "POSTGRES_PASSWORD" }}{{ end }}
{{- if .Values.storage.bundled.enabled }}{{ $keys = append $keys "GARAGE_RPC_SECRET" }}{{ end }}
{{- join "," $keys }}
{{- end }}

{{/* Variables out of the Secret: (list . "LUNA_DATABASE_URL" ...). */}}
{{- define "luna.secretEnv" -}}
{{- $ := index . 0 }}
{{- range rest . }}
- name: {{ . }}
  valueFrom: { secretKeyRef: { name: {{ include "luna.secret" $ }}, key: {{ . }} } }
{{- end }}
{{- end }}

{{/* Where database and storage are, and what opens them. */}}
{{- define "luna.placesEnv" -}}
{{- $keys := list "LUNA_DATABASE_URL" "LUNA_IDENTITY_KEY" }}
{{- if .Values.secrets.storageKeys }}{{ $keys = concat $keys (list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY") }}{{ end }}
{{- include "luna.secretEnv" (prepend $keys .) }}
- name: LUNA_STORAGE_URL
  value: {{ include "luna.storageUrl" . | quote }}
{{- end }}

{{- define "luna.storageUrl" -}}
{{- $bundled := .Values.storage.bundled }}
{{- if $bundled.enabled }}
{{- printf "s3://%s?endpoint=http://%s-s3:3900&region=garage" $bundled.bucket (include "luna.fullname" .) }}
{{- else }}
{{- required "storage.url: say where the bucket is, or set storage.bundled.enabled" .Values.storage.url }}
{{- end }}
{{- end }}

{{- define "luna.publicUrl" -}}
{{- if .Values.publicUrl }}
{{- .Values.publicUrl }}
{{- else if .Values.ingress.enabled }}
{{- printf "%s://%s" (ternary "https" "http" (ne .Values.ingress.tlsSecret "")) .Values.ingress.host }}
{{- else -}}
http://127.0.0.1:8000
{{- end }}
{{- end }}

{{/* The bundled storage is reached through the Ingress, under the bucket's name: then pages and bucket have one origin. */}}
{{- define "luna.storagePublicUrl" -}}
{{- if .Values.storage.publicUrl }}
{{- .Values.storage.publicUrl }}
{{- else if and .Values.storage.bundled.enabled .Values.ingress.enabled }}
{{- include "luna.publicUrl" . }}
{{- end }}
{{- end }}

{{/* What browsers are told: (list NAME) of both programs that look at it. */}}
{{- define "luna.publicEnv" -}}
- name: LUNA_PUBLIC_URL
  value: {{ include "luna.publicUrl" . | quote }}
{{- with include "luna.storagePublicUrl" . }}
- name: LUNA_STORAGE_PUBLIC_URL
  value: {{ . | quote }}
{{- end }}
{{- end }}

{{/* Same-sized replicas go to different machines, where there are some. */}}
{{- define "luna.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "luna.selector" . | nindent 8 }}
{{- end }}

{{/* Where pods may go: (list .Values.api). */}}
{{- define "luna.placement" -}}
{{- $part := index . 0 }}
{{- with $part.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What schema and types cannot say. */}}
{{- define "luna.check" -}}
{{- $s := .Values.secrets }}
{{- $sources := 0 }}
{{- range list (ne $s.existing "") $s.external.enabled $s.generate (gt (len $s.values) 0) }}
{{- if . }}{{ $sources = add1 $sources }}{{ end }}
{{- end }}
{{- if ne (int $sources) 1 }}
{{- fail "secrets: exactly one of existing, external.enabled, generate and values says where they come from" }}
{{- end }}
{{- if and $s.generate (not (and .Values.database.bundled.enabled .Values.storage.bundled.enabled)) }}
{{- fail "secrets.generate: only the chart's own database and storage take a password that is made up" }}
{{- end }}
{{- $keys := splitList "," (include "luna.secretKeys" .) }}
{{- $given := dict }}
{{- if $s.external.enabled }}{{ $given = dict "secrets.external.keys" $s.external.keys }}{{ end }}
{{- if $s.values }}{{ $given = dict "secrets.values" $s.values }}{{ end }}
{{- range $where, $map := $given }}
{{- range $keys }}
{{- if not (hasKey $map .) }}{{ fail (printf "%s: %s is missing" $where .) }}{{ end }}
{{- end }}
{{- range keys $map }}
{{- if not (has . $keys) }}{{ fail (printf "%s: nothing reads %s" $where .) }}{{ end }}
{{- end }}
{{- end }}
{{- if and $s.external.enabled (not $s.external.store.name) }}{{ fail "secrets.external.store.name: say which store" }}{{ end }}
{{- if and .Values.storage.url .Values.storage.bundled.enabled }}
{{- fail "storage.url: there is one storage; set storage.bundled.enabled to false" }}
{{- end }}
{{- if and .Values.worker.autoscaling.enabled .Values.worker.keda.enabled }}
{{- fail "worker: autoscaling and keda would pull at the same replicas; enable one" }}
{{- end }}
{{- if and .Values.ingress.kong.jwt.enabled (not .Values.ingress.kong.enabled) }}
{{- fail "ingress.kong.jwt: enable ingress.kong as well" }}
{{- end }}
{{- end }}
